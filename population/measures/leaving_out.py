"""Values with intervals by leaving out problems: what is drawn anew is problems, not grades.

Dimensions: Q problems, R groups of them, of which each is left out in turn.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mgptn.population.intervals.shares import agreed_interval, share_interval, wilson
from mgptn.population.intervals.spread import Interval, Spread, spread_of_left, t_interval
from mgptn.population.records.arrays import Floats, Integers

GROUPS = 200
"""Of problems, at most: of fewer problems each is left out by itself."""

SHARE, DIFFERENCE, RATIO = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)
"""Least and greatest that a measure can be."""


class Estimate(NamedTuple):
    """A value and its 95 % interval; NaN where undefined."""

    value: float
    low: float
    high: float


UNDEFINED = Estimate(math.nan, math.nan, math.nan)


def without_each(problems: int) -> Floats:
    """Which problems are left when a group of them is left out, float64 [R, Q]."""
    groups = min(problems, GROUPS)
    place = np.arange(problems) % groups
    kept: Floats = (np.arange(groups)[:, None] != place).astype(np.float64)
    return kept


def mean_of(values: Floats, problems: Integers, kept: Floats, share: bool = False) -> Estimate:
    """Mean of values in [−1, 1], [N], that belong to problems, [N]; of a share in [0, 1]."""
    if not len(values):
        return UNDEFINED
    width = kept.shape[1]
    counts = np.bincount(problems, minlength=width).astype(np.float64)
    sums = np.bincount(problems, weights=values, minlength=width)
    with np.errstate(invalid="ignore"):
        left = kept @ sums / (kept @ counts)
    value = float(sums.sum() / counts.sum())
    return proportion(value, left, counts) if share else estimate(value, left, DIFFERENCE)


def estimate(value: float, left: Floats, span: tuple[float, float]) -> Estimate:
    """A value with Student's interval, within what it can be, by what it is without each group.

    Where all agree: `agreed_interval`, a problem being one trial; never of width zero. NaN where it
    is undefined without some group.
    """
    of = spread_of_left(value, left)
    if of.error == 0.0:
        found = agreed_interval(of, 1, span)
    else:
        found = _within(t_interval(of), span) if of.error > 0.0 else t_interval(of)
    return Estimate(value, *found)


def proportion(value: float, left: Floats, by_problem: Integers | Floats) -> Estimate:
    """A share with Wilson's interval, as of `share_interval`.

    Parameters
    ----------
    by_problem
        [Q], how many trials each problem has: where a share hangs on some group, its interval is
        Wilson's with a trial a problem.
    """
    if math.isnan(value):
        return UNDEFINED
    of = spread_of_left(value, left)
    found = share_interval(of, 1)
    if math.isnan(found.low):
        problems = int(np.count_nonzero(by_problem))
        found = wilson(value * problems, problems)
    return Estimate(value, *found)


def share_estimate(value: float, left: Floats) -> Estimate:
    """The same of what is a share, but of no trials: an AUC, a calibration error."""
    found: Spread = spread_of_left(value, left)
    return Estimate(value, *share_interval(found, 1))


def _within(found: Interval, span: tuple[float, float]) -> Interval:
    return Interval(max(found.low, span[0]), min(found.high, span[1]))
