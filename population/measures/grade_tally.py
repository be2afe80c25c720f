"""Counts of a generation's grades, as the measures of graders and their bootstrap need them.

Dimensions: A answers, Q problems, F kinds of graders, D distinct grades, H bins of grades.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.outcomes import Outcomes

BINS = 10
"""Bins of equal width for calibration."""

FEW = 256
"""Distinct grades up to which a bootstrap sees each; more are put into as many bins by rank."""


class Tally:
    """Counts of a generation's grades by kind of grader, problem, verdict and value.

    Grades of answers without a verdict are left out.

    Attributes
    ----------
    exact
        int64 [F, 2, D + 1], by verdict and distinct grade; place 0 is for unreadable ones.
    binned
        int64 [F, Q, 2, H], of readable ones.
    values
        float64 [H], mean grade of each bin, ascending.
    """

    def __init__(self, outcomes: Outcomes, kind_of: Integers, kinds: int, threshold: float) -> None:
        self.outcomes = outcomes
        self.threshold = threshold
        self.grades = np.clip(outcomes.values, 0.0, 1.0)
        places, self.values = grade_bins(self.grades, threshold)
        asked, right = outcomes.matches.asked, outcomes.verdicts.astype(np.int64)
        seats, distinct, bins = outcomes.peer_seats(), len(self.grades), len(self.values)
        known = outcomes.known
        judged = known if len(outcomes.unknown) else slice(None)
        exact = np.zeros((kinds, 2, distinct + 1), dtype=np.int64)
        binned = np.zeros((kinds, outcomes.matches.problems, 2, bins + 1), dtype=np.int64)
        coarse = np.append(places + 1, 0)
        for seat, grade in enumerate(outcomes.grades.T):
            counted = judged if seats is None else seats[:, seat] & known
            kind = kind_of[outcomes.matches.graders[counted, seat]] if kinds > 1 else 0
            given, verdict = grade[counted].astype(np.int64), right[counted]
            where = (kind * len(binned[0]) + asked[counted]) * 2 + verdict
            flat = where * (bins + 1) + coarse[given]
            binned += np.bincount(flat, minlength=binned.size).reshape(binned.shape)
            if distinct > bins:
                flat = (kind * 2 + verdict) * (distinct + 1) + given + 1
                exact += np.bincount(flat, minlength=exact.size).reshape(exact.shape)
        if distinct <= bins:
            # Every distinct grade is a bin of its own, though in ascending order.
            exact = binned.sum(axis=1)[:, :, np.append(0, places + 1)]
        self.exact, self.binned = exact, binned[..., 1:]


def grade_bins(grades: Floats, threshold: float) -> tuple[Integers, Floats]:
    """The bin of each distinct grade, [D], and the mean grade of each bin, ascending, [H].

    No bin lies on both sides of the threshold or of a bin of the calibration error.
    """
    order = np.argsort(grades, kind="stable")
    rank = np.empty(len(grades), dtype=np.int64)
    rank[order] = np.arange(len(grades)) * min(FEW, len(grades)) // max(len(grades), 1)
    if len(grades) <= FEW:
        rank[order] = np.arange(len(grades))
    keys = (rank * 2 + (grades >= threshold)) * (BINS + 1) + calibration_bin(grades)
    _, places = np.unique(keys, return_inverse=True)
    counts = np.bincount(places)
    return places, np.bincount(places, weights=grades) / np.maximum(counts, 1)


def calibration_bin(grades: Floats) -> Integers:
    """The bin of equal width of each grade; a grade on an edge belongs above it, 1 to the last."""
    return np.minimum((grades * BINS).astype(np.int64), BINS - 1)
