"""Reputations on a dense table of grades, a grader at a time, without a memory."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np


def reputation_weighted(grades):
    """Mean of each answer's grades [K, A], graders weighted by reputation; NaN without any."""
    weights, given = reputations(grades), ~np.isnan(grades)
    trust = weights @ given
    sums = weights @ np.where(given, grades, 0.0)
    return np.divide(sums, trust, out=np.full(trust.shape, np.nan), where=trust > 0.0)


def reputations(grades):
    """Correlation of each grader with the weighted mean of the others, a fixed point, [K]."""
    weights = np.ones(len(grades))
    for _ in range(200):
        found = np.array([_agreement(grades, k, weights) for k in range(len(grades))])
        if not found.any():
            return np.ones(len(grades))
        if np.abs(found - weights).max() <= 1e-6:
            return found
        # Half-way, or two parties could take turns.
        weights = (weights + found) / 2.0
    return found


def _agreement(grades, k, weights):
    """Correlation of one grader, at least 0; answers count by the sum of the others' weights."""
    others = np.delete(np.arange(len(grades)), k)
    trust = weights[others] @ ~np.isnan(grades[others])
    shared = ~np.isnan(grades[k]) & (trust > 1e-9)
    if shared.sum() < 2:
        return 0.0
    trust, own = trust[shared], grades[k, shared]
    consensus = weights[others] @ np.nan_to_num(grades[others][:, shared]) / trust
    (xx, xy), (_, yy) = np.cov(own, consensus, aweights=trust, ddof=0)
    spread = np.sqrt(xx * yy)
    return max(0.0, xy / spread) if spread > 1e-9 else 0.0
