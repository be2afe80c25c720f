"""Ways to choose one of several programs for a spec, none of which sees a hidden case.

Dimensions: N programs.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats, Truths
from mgptn.protocols.tasks.bundled import codes
from mgptn.protocols.tasks.programs.behaviours import PAIRS, pairs
from mgptn.protocols.tasks.programs.judging import StackWorkshop
from mgptn.protocols.tasks.programs.language import NOTHING, is_program
from mgptn.protocols.tasks.programs.machine import NONE, run_all
from mgptn.protocols.tasks.programs.specs import WIDTH

INPUTS = 10
"""Pairs of inputs that programs are run on to see who agrees with whom."""


def by_text(programs: Sequence[str]) -> Floats:
    """How many are written alike, float64 [N]."""
    counted = Counter(programs)
    return np.array([float(counted[one]) for one in programs])


def by_results(programs: Sequence[str], query: str) -> Floats:
    """How many have the same results on inputs drawn for the question; 0 of one that has none."""
    drawn = stream(0, "claims", "inputs", query).permutation(len(PAIRS))[:INPUTS]
    written = [
        one.ljust(WIDTH, NOTHING) if is_program(one) and len(one) <= WIDTH else "@" * WIDTH
        for one in programs
    ]
    results, _ = run_all(np.array([codes(one) for one in written]), pairs()[drawn])
    said = [tuple(row) for row in results.tolist()]
    counted = Counter(said)
    return np.array([float(counted[row]) * any(one != NONE for one in row) for row in said])


def by_tests(programs: Sequence[str], tests: Sequence[str], query: str) -> Floats:
    """What each is worth by the mean of tests, as a population of coders and testers says."""
    shop = StackWorkshop.of(query, 0)
    found = []
    for one in programs:
        said = shop.worth_of_program(one, tests, programs)
        known = [value for value in said if value is not None]
        found.append(float(np.mean(known)) if known else 0.5)
    return np.array(found)


def by_cases_shown(programs: Sequence[str], query: str) -> Floats:
    """1 of a program that has all cases shown, else 0: what everybody can run at no cost."""
    shop = StackWorkshop.of(query, 0)
    return np.array([float(not shop.failed_of_shown(one)) for one in programs])


def right_of(values: Floats, right: Truths) -> float:
    """How likely the chosen one is right, of equally good ones each being as likely."""
    return float(right[values == values.max()].mean())
