"""Numbers with intervals, as every claim has them: one mechanism, of seeds.

A seed's problems are drawn for it alone, and share its population: seeds are the units, and what
is between problems is in the spread of the seeds. Of a single seed its problems are, and then the
interval says nothing of other seeds.

Dimensions: S seeds, Q problems, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mgptn.population.intervals.shares import agreed_interval, share_interval
from mgptn.population.intervals.spread import (
    Interval,
    Spread,
    Statistic,
    itself,
    p_above,
    spread,
    t_interval,
    units_to_reach,
)
from mgptn.population.records.arrays import Floats

Span = tuple[float, float]
"""Least and greatest that a number can be."""

ANY: Span = (-math.inf, math.inf)
SHARE: Span = (0.0, 1.0)
DIFFERENCE: Span = (-1.0, 1.0)

SEEDS, PROBLEMS = "seeds", "problems"
"""What a number's spread is between."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its 95 % interval, and what it is of; NaN where it is undefined.

    Attributes
    ----------
    error
        Standard error; 0 where all seeds agree, NaN where it is unknown.
    units, unit
        How many it is of, and what: ``"seeds"``, or ``"problems"`` if all are of one; 0 where it is
        no estimate.
    """

    name: str
    value: float
    low: float
    high: float
    error: float = math.nan
    units: int = 0
    unit: str = SEEDS

    def told(self) -> str:
        """``.250 (.200 to .310)``; of what all seeds agree on, that they do."""
        if math.isnan(self.value):
            return short(self.value)
        if math.isnan(self.low):
            return f"{short(self.value)} ({self.why_no_interval})"
        agreed = f", no spread between {self.unit}" if self.error == 0.0 else ""
        return f"{short(self.value)} ({' to '.join(ends(self.low, self.high))}{agreed})"

    @property
    def why_no_interval(self) -> str:
        """Of a number without one, why."""
        if self.error == 0.0:
            return f"no spread between {self.unit}"
        if self.units <= 1:
            return "no interval"
        return f"no interval: it hangs on one of the {self.unit}"

    def p_above(self, bound: float) -> float:
        """One-sided p of being above a bound, as of `spread.p_above`."""
        return p_above(self._spread, bound)

    def p_below(self, bound: float) -> float:
        """Likewise of being below it."""
        return p_above(Spread(-self.value, self.error, self.units, self.units - 1), -bound)

    def units_for(self, margin: float) -> int | None:
        """Units that would tell the number from a bound so far away, as of `units_to_reach`."""
        return units_to_reach(self._spread, margin)

    @property
    def _spread(self) -> Spread:
        return Spread(self.value, self.error, self.units, self.units - 1)


def estimate(
    name: str, clusters: Floats, statistic: Statistic = itself, span: Span = ANY
) -> Number:
    """A statistic with Student's interval by the spread between seeds.

    Parameters
    ----------
    clusters
        float64 [S, Q, ...]: of seeds, and the problems of each.
    statistic
        From means over seeds and problems, float64 [D, ...], to float64 [D].
    span
        That the statistic can be in: where all seeds agree the interval is by it, as of
        `shares.agreed_interval`, and NaN where it has no ends. No interval is of width zero.
    """
    of, trials, unit = _spread_of(clusters, statistic)
    found = agreed_interval(of, trials, span) if of.error == 0.0 else t_interval(of)
    if not math.isnan(found.low):
        found = Interval(max(found.low, span[0]), min(found.high, span[1]))
    return Number(name, of.value, *found, of.error, of.units, unit)


def share(name: str, clusters: Floats, statistic: Statistic = itself) -> Number:
    """A mean of values in [0, 1], or a quotient of two, with Wilson's interval by seeds.

    Parameters are as of `estimate`; see `shares.share_interval`.
    """
    of, trials, unit = _spread_of(clusters, statistic)
    return Number(name, of.value, *share_interval(of, trials), of.error, of.units, unit)


def plain(name: str, value: float) -> Number:
    """A number that is no estimate: what it is of was looked at whole."""
    return Number(name, value, math.nan, math.nan)


def _spread_of(clusters: Floats, statistic: Statistic) -> tuple[Spread, int, str]:
    """A statistic by seeds, or the problems of one; how many trials a unit has; what it is."""
    values = np.asarray(clusters, dtype=np.float64)
    if len(values) == 1:
        return spread(values[0], statistic), 1, PROBLEMS
    return spread(values.mean(axis=1), statistic), values.shape[1], SEEDS


def ends(low: float, high: float) -> tuple[str, str]:
    """An interval's ends, with as many digits as it takes to tell them apart."""
    told, digits = (short(low), short(high)), 2
    while told[0] == told[1] and low < high and digits < 9:
        told, digits = (_digits(low, digits), _digits(high, digits)), digits + 1
    return told


def _digits(value: float, digits: int) -> str:
    """So many significant ones: ``.0038``, ``−1.2e-05``."""
    told = f"{value:.{digits}g}".replace("-", "−", 1) if value < 0 else f"{value:.{digits}g}"
    return told.replace("0.", ".", 1) if abs(value) < 1 else told


def short(value: float) -> str:
    """``.250``, ``−1.20``, ``undefined``."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1:
        return f"{value:.2f}".replace("-", "−")
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−").replace("0.", ".", 1)
