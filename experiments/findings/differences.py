"""Differences of error rates with their intervals, and what such an interval lets one say."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass

from mgptn.population.intervals.shares import difference_interval
from mgptn.population.intervals.spread import Spread


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two error rates, and its 95 % interval; NaN where one problem has none."""

    value: float
    low: float
    high: float

    @property
    def falls(self) -> bool:
        """Is it below zero, beyond its interval?"""
        return self.high < 0.0

    @property
    def rises(self) -> bool:
        """Is it above zero, beyond its interval?"""
        return self.low > 0.0

    @property
    def not_ruled_out(self) -> float:
        """The largest fall that the interval leaves possible, as a positive number."""
        return max(0.0, -self.low)

    def __str__(self) -> str:
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{self.value:+.3f} (too few problems for an interval)"
        if self.low == self.high:
            return f"{self.value:+.3f} (all problems alike: no interval)"
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


Against = dict[str, tuple[float, Difference]]
"""Control → its error, and the run's error less that one."""


def difference_of(of: Spread, agents: int) -> Difference:
    """A difference with its interval, of problems that so many agents answer."""
    return Difference(of.value, *difference_interval(of, agents))


def said_of(difference: Difference) -> str:
    """In which direction it is, as far as that is shown."""
    if difference.falls:
        return ", lower"
    return ", higher" if difference.rises else ", no difference shown"
