"""Tests that can tell no program from another: they copy what is shown, or nobody fails them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np

from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.turns import CRITIQUE
from mgptn.protocols.tasks.programs.both import program_spec
from mgptn.protocols.tasks.programs.cases import passes, read_case
from mgptn.protocols.tasks.programs.testing import is_shown


def idle_share(outcomes: Outcomes) -> float:
    """Share of the tests that others' programs were given; NaN where there is no test.

    Nobody fails a test that all programs pass which were written for its spec in this generation.
    What is no case is no test.
    """
    turns, asked = outcomes.turns, outcomes.matches.asked
    programs: dict[int, list[str]] = {}
    for answer, text in enumerate(outcomes.answers):
        programs.setdefault(int(asked[answer]), []).append(outcomes.texts[text])
    idle: list[bool] = []
    for turn in np.flatnonzero(turns.kinds == CRITIQUE).tolist():
        problem = int(asked[turns.answers[turn]])
        case = read_case(turns.texts[turns.said[turn]])
        if case is not None:
            shown = is_shown(program_spec(outcomes.queries[problem]) or "", case)
            idle.append(shown or all(passes(one, case) for one in programs[problem]))
    return float(np.mean(idle)) if idle else math.nan
