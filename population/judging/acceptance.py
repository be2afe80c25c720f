"""From which score on an answer is accepted: a fixed one, one by rank, or one that scores suggest.

The last two look at a generation's own scores, and at no verdict.

Dimension: N values.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mgptn.population.records.arrays import Floats
from mgptn.population.records.settled import check_name, check_probabilities

WAYS = ("threshold", "share", "calibrated")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How the score is found from which on an answer is accepted.

    Attributes
    ----------
    by
        ``"threshold"``: that one. ``"share"``: so many of the best that no more than a share is
        accepted; equal scores are accepted together, or not at all. ``"calibrated"``: the score
        that parts the generation's scores into two groups, as far apart as can be, by Otsu's
        criterion (N. Otsu 1979, "A threshold selection method from gray-level histograms"); where
        all are equal nothing parts them, and the threshold holds.

    Raises
    ------
    ValueError
        If there is no such way, or the share is none, or the threshold is NaN.
    """

    threshold: float
    by: str = "threshold"
    share: float = 0.5

    def __post_init__(self) -> None:
        check_name("by", self.by, WAYS)
        check_probabilities(self, "share")
        if math.isnan(self.threshold):
            raise ValueError("threshold: expected a number, got NaN")

    def cut(self, values: Floats) -> float:
        """The least value that is accepted among values float64 [N]; NaN are not among them."""
        known = values[~np.isnan(values)]
        if self.by == "share":
            return best(known, self.share)
        if self.by == "calibrated" and known.size:
            parted = otsu(known)
            return self.threshold if parted is None else parted
        return self.threshold


def best(values: Floats, share: float) -> float:
    """The least of the best values [N] of which there are at most share · N; ∞ if there are none.

    Raises
    ------
    ValueError
        If a value is NaN.
    """
    if np.isnan(values).any():
        raise ValueError("values: expected numbers, got NaN")
    room = math.floor(share * len(values) + 1e-9)
    falling = np.sort(values)[::-1]
    if room < len(falling):
        falling = falling[:room][falling[:room] > falling[room]]
    return float(falling[-1]) if falling.size else math.inf


def otsu(values: Floats) -> float | None:
    """The least value of the upper of two groups of values [N]; None if all are equal.

    The groups are those whose means' squared distance, times the groups' sizes, is largest; of
    several such the first.

    Raises
    ------
    ValueError
        If there is no value, or one is NaN.
    """
    if not values.size or np.isnan(values).any():
        raise ValueError(f"values: expected at least one, none of them NaN, got {values!r}")
    rising = np.sort(values)
    total, sums = len(rising), np.cumsum(rising)
    starts = np.flatnonzero(rising[1:] > rising[:-1]) + 1
    if not starts.size:
        return None
    below = sums[starts - 1] / starts
    above = (sums[-1] - sums[starts - 1]) / (total - starts)
    apart = starts * (total - starts) * (above - below) ** 2
    return float(rising[starts[int(np.argmax(apart))]])
