"""Which module tests which claim, by the names of the registered files."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mgptn.experiments.claims.agency import analysis as agency
from mgptn.experiments.claims.beyond_the_founders import analysis as beyond_the_founders
from mgptn.experiments.claims.chaining import analysis as chaining
from mgptn.experiments.claims.checking_easier import analysis as checking_easier
from mgptn.experiments.claims.cherry_picking import analysis as cherry_picking
from mgptn.experiments.claims.collusion import analysis as collusion
from mgptn.experiments.claims.elicit_or_create import analysis as elicit_or_create
from mgptn.experiments.claims.evaluation_easier import analysis as evaluation_easier
from mgptn.experiments.claims.extinction import analysis as extinction
from mgptn.experiments.claims.frozen_internals import analysis as frozen_internals
from mgptn.experiments.claims.gaming import analysis as gaming
from mgptn.experiments.claims.imitation_then_selection import analysis as imitation_then_selection
from mgptn.experiments.claims.independent_judges import analysis as independent_judges
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.measuring import Measure
from mgptn.experiments.claims.mutual_code_and_tests import analysis as mutual_code_and_tests
from mgptn.experiments.claims.one_cannot import analysis as one_cannot
from mgptn.experiments.claims.phase_diagram import analysis as phase_diagram
from mgptn.experiments.claims.plausibility import analysis as plausibility
from mgptn.experiments.claims.quasispecies import analysis as quasispecies
from mgptn.experiments.claims.selectors import analysis as selectors
from mgptn.experiments.claims.self_training import analysis as self_training
from mgptn.experiments.claims.simulacra import analysis as simulacra
from mgptn.experiments.claims.survey_trick import analysis as survey_trick
from mgptn.experiments.claims.tests_beat_votes import analysis as tests_beat_votes


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
    "survey-trick": Analysis(survey_trick.analyse, survey_trick.draw, survey_trick.MEASURES),
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
    "beyond-the-founders": Analysis(beyond_the_founders.analyse, beyond_the_founders.draw),
    "independent-judges": Analysis(independent_judges.analyse, independent_judges.draw),
    "simulacra": Analysis(simulacra.analyse, simulacra.draw, simulacra.MEASURES),
    "agency": Analysis(agency.analyse, agency.draw, agency.MEASURES),
    "plausibility": Analysis(plausibility.analyse, plausibility.draw, plausibility.MEASURES),
    "frozen-internals": Analysis(
        frozen_internals.analyse, frozen_internals.draw, frozen_internals.MEASURES
    ),
    "tests-beat-votes": Analysis(tests_beat_votes.analyse, tests_beat_votes.draw),
    "mutual-code-and-tests": Analysis(mutual_code_and_tests.analyse, mutual_code_and_tests.draw),
    "collusion": Analysis(collusion.analyse, collusion.draw),
    "checking-easier-than-proving": Analysis(
        checking_easier.analyse, checking_easier.draw, checking_easier.MEASURES
    ),
    "extinction": Analysis(extinction.analyse, extinction.draw, extinction.MEASURES),
    "self-training": Analysis(self_training.analyse, self_training.draw),
    "imitation-then-selection": Analysis(
        imitation_then_selection.analyse,
        imitation_then_selection.draw,
        imitation_then_selection.MEASURES,
    ),
}
"""Claim → its analysis; a further claim is registered in a YAML file and entered here."""
