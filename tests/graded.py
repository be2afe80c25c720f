"""Generations in which each grade is what a function of grader, verdict and chance says."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mgptn.population.judging.pairing import random_graders
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes

Says = Callable[[int, bool, float], float]


def graded(
    size: int,
    problems: int,
    graders: int,
    says: Says,
    rng: np.random.Generator,
    truth: np.ndarray | None = None,
) -> Outcomes:
    """Outcomes in which each slot's grade is `says(slot, verdict, uniform)`; NaN is unreadable."""
    seats = random_graders(size, problems, graders, rng)
    verdicts = rng.random(size * problems) < 0.5 if truth is None else truth
    draws = rng.random(seats.shape)
    given = np.array(
        [
            [says(int(s), bool(v), float(u)) for s, u in zip(row, uniforms, strict=True)]
            for row, v, uniforms in zip(seats, verdicts, draws, strict=True)
        ]
    ).reshape(seats.shape)
    values, grades = np.unique(given[~np.isnan(given)], return_inverse=True)
    places = np.full(seats.shape, -1)
    places[~np.isnan(given)] = grades
    answers = len(verdicts)
    return Outcomes(
        matches=Matches(np.arange(size), problems, seats),
        queries=tuple(f"{p}?" for p in range(problems)),
        texts=("a",),
        answers=np.zeros(answers, dtype=np.int64),
        finished=np.ones(answers, dtype=np.bool_),
        tokens=np.ones(answers, dtype=np.int64),
        log_probabilities=np.zeros(answers),
        verdicts=verdicts,
        levels=np.column_stack([1 - values, 0 * values, 0 * values, 0 * values, values]),
        values=values,
        grades=places,
    )


def judges(accuracy: Callable[[int], float]) -> Says:
    """Graders right as often as the slot says."""
    return lambda slot, verdict, uniform: float(verdict == (uniform < accuracy(slot)))
