"""Which module tests which claim, by the names of the registered files."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from experiments.claims import (
    chaining,
    cherry_picking,
    elicit_or_create,
    evaluation_easier,
    gaming,
    one_cannot,
    phase_diagram,
    quasispecies,
    selectors,
    survey_trick,
)
from experiments.claims.finding import Finding
from experiments.claims.measuring import Measure
from experiments.claims.results import Results


@dataclass(frozen=True, slots=True)
class Analysis:
    """How an experiment's journals become a finding, and the finding a picture.

    `measures` are by the names of their tables, made in this order for every seed.
    """

    analyse: Callable[[Results], Finding]
    draw: Callable[[Results, Finding, Path], Path]
    measures: Mapping[str, Measure] = field(default_factory=dict)


ANALYSES: dict[str, Analysis] = {
    "chaining": Analysis(chaining.analyse, chaining.draw),
    "survey-trick": Analysis(survey_trick.analyse, survey_trick.draw),
    "evaluation-easier": Analysis(evaluation_easier.analyse, evaluation_easier.draw),
    "cherry-picking": Analysis(
        cherry_picking.analyse, cherry_picking.draw, cherry_picking.MEASURES
    ),
    "quasispecies": Analysis(quasispecies.analyse, quasispecies.draw, quasispecies.MEASURES),
    "one-cannot": Analysis(one_cannot.analyse, one_cannot.draw),
    "phase-diagram": Analysis(phase_diagram.analyse, phase_diagram.draw),
    "selectors": Analysis(selectors.analyse, selectors.draw),
    "elicit-or-create": Analysis(
        elicit_or_create.analyse, elicit_or_create.draw, elicit_or_create.MEASURES
    ),
    "gaming": Analysis(gaming.analyse, gaming.draw),
}
"""Claim → its analysis; a further claim is registered in a YAML file and entered here."""
