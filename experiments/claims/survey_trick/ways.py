"""Grades by one way of asking, as counts: how well they rank, how far off they are.

Dimensions: S seeds, Q problems, M agents, L distinct grades, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgptn.population.intervals.spread import Statistic
from mgptn.population.records.arrays import Floats

JUDGES, THRESHOLD, BINS = 0.6, 0.6, 10
GAIN, MATTERS = "AUC, logits less one sampled word, at equal compute", 0.02
"""What one pass tells by its logits over what it tells by a word; less than so much is nothing."""


@dataclass(frozen=True, slots=True)
class Way:
    """How often each grade is given, by one way of asking.

    Attributes
    ----------
    levels
        float64 [L], distinct grades in [0, 1], ascending.
    counts
        float64 [S, Q, 2 L]: of wrong answers, then of right ones.
    """

    levels: Floats
    counts: Floats

    def half(self, which: int) -> Way:
        """Every second problem."""
        even = self.counts.shape[1] // 2 * 2
        return Way(self.levels, self.counts[:, which:even:2])

    def area(self, means: Floats) -> Floats:
        """AUC of every sample of `counts`, [D]; ties count half."""
        wrong, right = self._sides(means)
        below = np.cumsum(wrong, axis=1) - wrong / 2.0
        return _over((right * below).sum(axis=1), wrong.sum(axis=1) * right.sum(axis=1))

    def youden(self, means: Floats) -> Floats:
        """TPR − FPR at the threshold."""
        wrong, right = self._sides(means)
        passed = self.levels >= THRESHOLD
        rates = [_over(side @ passed, side.sum(axis=1)) for side in (right, wrong)]
        return np.asarray(rates[0] - rates[1])

    def calibration_error(self, means: Floats) -> Floats:
        """Expected calibration error, as of `mgptn.population.measures.rates.calibration_error`."""
        wrong, right = self._sides(means)
        place = np.eye(BINS)[np.minimum((self.levels * BINS).astype(np.int64), BINS - 1)]
        gaps = (right * (1.0 - self.levels) - wrong * self.levels) @ place
        return _over(np.abs(gaps).sum(axis=1), means.sum(axis=1))

    def mean(self, means: Floats) -> Floats:
        """Mean grade."""
        return _over(means @ np.tile(self.levels, 2), means.sum(axis=1))

    def _sides(self, means: Floats) -> tuple[Floats, Floats]:
        return means[:, : len(self.levels)], means[:, len(self.levels) :]


def way_of(grades: Floats, right: NDArray[np.bool_]) -> Way:
    """Grades and verdicts, [S, Q, M] each, as counts; NaN grades are left out."""
    known = ~np.isnan(grades)
    levels, place = np.unique(np.where(known, grades, 0.0), return_inverse=True)
    kinds = place.reshape(grades.shape) + len(levels) * right
    counts = np.zeros((*grades.shape[:2], 2 * len(levels)))
    seeds, problems, _ = np.nonzero(known)
    np.add.at(counts, (seeds, problems, kinds[known]), 1.0)
    return Way(levels, counts)


def less(one: Way, two: Way, half: int | None, of: str) -> tuple[Floats, Statistic]:
    """Counts of two ways side by side, and how much more the first has of something."""
    if half is not None:
        one, two = one.half(half), two.half(half)
    width = one.counts.shape[-1]

    def statistic(means: Floats) -> Floats:
        mine, others = getattr(one, of)(means[:, :width]), getattr(two, of)(means[:, width:])
        return np.asarray(mine - others)

    return np.concatenate([one.counts, two.counts], axis=-1), statistic


def _over(part: Floats, whole: Floats) -> Floats:
    """A share; NaN of nothing."""
    return np.asarray(part / np.where(whole > 0.0, whole, np.nan))
