"""Which module tests which claim, by the names of the registered files."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments.claims import (
    chaining,
    evaluation_easier,
    gaming,
    one_cannot,
    selectors,
    survey_trick,
)
from experiments.claims.finding import Finding
from experiments.claims.results import Results


@dataclass(frozen=True, slots=True)
class Analysis:
    """How an experiment's journals become a finding, and the finding a picture."""

    analyse: Callable[[Results], Finding]
    draw: Callable[[Results, Finding, Path], Path]


ANALYSES: dict[str, Analysis] = {
    "chaining": Analysis(chaining.analyse, chaining.draw),
    "survey-trick": Analysis(survey_trick.analyse, survey_trick.draw),
    "evaluation-easier": Analysis(evaluation_easier.analyse, evaluation_easier.draw),
    "one-cannot": Analysis(one_cannot.analyse, one_cannot.draw),
    "selectors": Analysis(selectors.analyse, selectors.draw),
    "gaming": Analysis(gaming.analyse, gaming.draw),
}
"""Claim → its analysis; a further claim is registered in a YAML file and entered here."""
