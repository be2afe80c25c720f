"""Numbers that follow from a design are taken from it, not typed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mgptn.experiments.claims.method.claim import claim_names, load_claim
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.phase_diagram.scripted_plane import ScriptedPlane
from mgptn.population.theory.classification import unanimity_boundary
from tests.rooms import ROOT


class Unread(Results):
    """Cells whose journals nobody reads."""

    def stacked(self, *arguments: Any, **labels: str) -> Any:
        return np.zeros((1, 1, 1, 1))


@pytest.mark.parametrize("generations", [2, 4, 9])
def test_the_theorys_boundary_is_that_of_the_rounds_that_are_run(
    tmp_path: Any, generations: int
) -> None:
    cells = []
    for cell in load_claim("phase-diagram").cells("smoke"):
        population = cell.config.population.model_copy(update={"generations": generations})
        config = cell.config.model_copy(update={"population": population})
        cells.append(replace(cell, config=config))
    plane = ScriptedPlane(Unread(tmp_path, tuple(cells)))
    expected = 1.0 + unanimity_boundary(0.5, 0.05, generations - 1, 0.9, 0.4)
    assert plane.boundary(0.4) == expected


def test_the_readme_counts_the_other_claims() -> None:
    assert f"has the {len(claim_names()) - 1} other claims" in (ROOT / "README.md").read_text()
