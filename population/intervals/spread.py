"""Student's interval of a statistic of units that are drawn alike: seeds, or one seed's problems.

Problems are drawn anew by every seed, so that what is between problems, and what is left over, is
in the spread of the seeds' means already: of the components of variance, between seeds, between
problems and residual, Satterthwaite's degrees of freedom are those of the seeds, U − 1, whatever
the correlation of a seed's problems. A statistic that is no mean has its error by the jackknife.

Dimensions: U units, D rows of means that a statistic is taken of at once.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy

from mgptn.population.records.arrays import Floats

Statistic = Callable[[Floats], Floats]
"""From means, float64 [D, ...], to a number of each, float64 [D]."""

ALIKE = 1e-12
"""A spread below this, in units of the value or of 1, is rounding."""


class Interval(NamedTuple):
    """Bounds of a confidence interval."""

    low: float
    high: float


NOWHERE = Interval(math.nan, math.nan)


class Spread(NamedTuple):
    """A statistic, its standard error, of how many units, and the error's degrees of freedom.

    The error of one unit is NaN.
    """

    value: float
    error: float
    units: int
    freedom: float


def itself(means: Floats) -> Floats:
    """The statistic of a plain mean."""
    return means


def spread(units: Floats, statistic: Statistic = itself) -> Spread:
    """A statistic of the mean of units, with its standard error by leaving out each.

    Parameters
    ----------
    units
        float64 [U, ...], each unit's own mean.
    statistic
        Of their mean. Where it is undefined without one of the units, so is its error: it hangs
        on that unit alone.

    Raises
    ------
    ValueError
        If there is no unit.

    Source
    ------
    Tukey 1958; Efron & Stein 1981. Of a plain mean it is s/√U.
    """
    values = np.asarray(units, dtype=np.float64)
    if values.ndim == 0 or not len(values):
        raise ValueError(f"units: expected at least one on axis 0, got shape {values.shape}")
    count, total = len(values), values.sum(axis=0)
    value = float(statistic((total / count)[None])[0])
    if count < 2 or not math.isfinite(value):
        return Spread(value, math.nan, count, count - 1)
    return spread_of_left(value, statistic((total - values) / (count - 1)))


def spread_of_left(value: float, left: Floats) -> Spread:
    """A statistic's spread by what it is without each unit, or without each of as large groups.

    Parameters
    ----------
    left
        float64 [U]; where one is not finite the error is NaN.

    Source
    ------
    Tukey 1958; Shao & Tu 1995, section 2.3, for groups.
    """
    without = np.asarray(left, dtype=np.float64)
    count = len(without)
    if count < 2 or not math.isfinite(value) or not np.all(np.isfinite(without)):
        return Spread(value, math.nan, count, count - 1)
    if np.ptp(without) <= ALIKE * max(1.0, abs(value)):
        return Spread(value, 0.0, count, count - 1)
    error = math.sqrt((count - 1) / count * float(np.sum((without - without.mean()) ** 2)))
    return Spread(value, error, count, count - 1)


def spread_of_any(
    clusters: Floats, statistic: Callable[[Floats], float], groups: int = 200
) -> Spread:
    """A statistic of observations themselves, not of their mean, with its standard error.

    Parameters
    ----------
    clusters
        float64 [U, ...]: what is drawn whole. Of more than `groups` of them, groups are left out.
    """
    values = np.asarray(clusters, dtype=np.float64)
    count = len(values)
    value = statistic(values) if count else math.nan
    place = np.arange(count) % max(1, min(count, groups))
    left = [statistic(values[place != one]) for one in range(min(count, groups))]
    return spread_of_left(value, np.array(left))


def known_spread(values: Floats) -> Spread:
    """The mean of what is known of units, float64 [U], NaN where it is not; NaN of nothing."""
    known = values[~np.isnan(values)]
    return spread(known) if known.size else Spread(math.nan, math.nan, 0, -1)


def apart(one: Spread, other: Spread) -> Spread:
    """The difference of two statistics of different units, first less second.

    Source
    ------
    Welch 1947; Satterthwaite 1946 for the degrees of freedom.
    """
    parts = [(of.error**2, of.freedom) for of in (one, other)]
    variance = sum(part for part, _ in parts)
    shares = sum(part**2 / freedom for part, freedom in parts if part > 0.0)
    units = one.units + other.units
    freedom = variance**2 / shares if shares > 0.0 else float(units - 2)
    return Spread(one.value - other.value, math.sqrt(variance), units, freedom)


def t_interval(of: Spread, level: float = 0.95) -> Interval:
    """Student's interval; NaN where there is no error, or none but 0.

    Raises
    ------
    ValueError
        If the level is outside (0, 1).

    Source
    ------
    Student 1908; Satterthwaite 1946 for what `apart` gives.
    """
    check_level(level)
    if not of.error > 0.0:
        return NOWHERE
    half = times(of.freedom, level) * of.error
    return Interval(of.value - half, of.value + half)


def times(freedom: float, level: float = 0.95) -> float:
    """How many standard errors an interval of so many degrees of freedom reaches to either side."""
    return float(scipy.special.stdtrit(freedom, (1.0 + level) / 2.0))


def p_above(of: Spread, bound: float) -> float:
    """Probability of a value at least as high, were the truth at a bound: Student's one-sided test.

    Where all units agree there is no error to measure by: the exact sign test's 2^−U if they are
    above, which no test of their signs can go below; 1 if they are not. NaN of what is undefined.
    """
    if of.error > 0.0:
        return float(scipy.special.stdtr(of.freedom, (bound - of.value) / of.error))
    if of.error == 0.0:
        return 2.0**-of.units if of.value > bound else 1.0
    return math.nan


def units_to_reach(of: Spread, margin: float, most: int = 10_000) -> int | None:
    """How many units would leave a bound so far away out of the interval, were the spread as it is.

    None where `most` would not be enough, or nothing is known of the spread.
    """
    if not of.error > 0.0 or not margin > 0.0:
        return None
    deviation = of.error * math.sqrt(of.units)
    low, high = 1, 2
    while times(high - 1) * deviation / math.sqrt(high) >= margin:
        low, high = high, high * 2
        if low > most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        reached = times(middle - 1) * deviation / math.sqrt(middle) < margin
        low, high = (low, middle) if reached else (middle, high)
    return high


def check_level(level: float) -> None:
    """Refuse a level that is no coverage."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level: expected in (0, 1), got {level}")
