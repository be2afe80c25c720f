"""Values with intervals by a bootstrap over problems: what is drawn anew is problems, not grades.

Dimensions: Q problems, R draws of the bootstrap.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mgptn.population.intervals.shares import wilson
from mgptn.population.records.arrays import Floats, Integers

DRAWS = 1000


class Estimate(NamedTuple):
    """A value and its 95 % interval; NaN where undefined."""

    value: float
    low: float
    high: float


UNDEFINED = Estimate(math.nan, math.nan, math.nan)


def resample_problems(problems: int, rng: np.random.Generator) -> Floats:
    """How often each draw of the bootstrap has each problem, float64 [R, Q]."""
    drawn = rng.multinomial(problems, np.full(problems, 1.0 / problems), size=DRAWS)
    return drawn.astype(np.float64)


def mean_of(values: Floats, problems: Integers, resampled: Floats, share: bool = False) -> Estimate:
    """Mean of values, [N], that belong to problems, [N]."""
    if not len(values):
        return UNDEFINED
    width = resampled.shape[1]
    counts = np.bincount(problems, minlength=width).astype(np.float64)
    sums = np.bincount(problems, weights=values, minlength=width)
    with np.errstate(invalid="ignore"):
        drawn = resampled @ sums / (resampled @ counts)
    value = float(sums.sum() / counts.sum())
    return proportion(value, drawn, counts) if share else estimate(value, drawn)


def estimate(value: float, drawn: Floats) -> Estimate:
    """A value with the 2.5 % and 97.5 % quantiles of its draws; NaN draws are left out."""
    known = np.sort(drawn[~np.isnan(drawn)])
    if math.isnan(value) or not known.size:
        return Estimate(float(value), math.nan, math.nan)
    # Observed ones, not between two: a draw may be infinite.
    low, high = (known[min(int(q * known.size), known.size - 1)] for q in (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))


def proportion(value: float, drawn: Floats, by_problem: Integers | Floats) -> Estimate:
    """A share; where it is 0 or 1, and every draw with it, Wilson's interval by its problems.

    Parameters
    ----------
    by_problem
        [Q], how many trials each problem has: problems, not trials, are what is drawn anew.
    """
    found = estimate(value, drawn)
    if value in (0.0, 1.0):
        problems = int(np.count_nonzero(by_problem))
        bounds = wilson(problems if value else 0, problems)
        return Estimate(found.value, bounds.low, bounds.high)
    return found
