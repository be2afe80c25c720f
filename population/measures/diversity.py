"""How diverse a population is: Hill numbers, effective size from offspring numbers.

Shares and counts come in as arrays; where they were counted is the caller's affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from mgptn.population.records.shares import as_shares


def hill(shares: ArrayLike, order: float) -> float:
    """Hill number: how many equally common kinds would be as diverse as this composition.

    D_q = (Σ p_i^q)^(1/(1−q)). Order 0 counts the kinds present, order 1 is the exponential of
    Shannon's entropy, order 2 the inverse of Simpson's concentration, order ∞ the inverse of the
    commonest share.

    Parameters
    ----------
    shares
        float64 [K], each ≥ 0, sum one. Absent kinds (share 0) do not count.
    order
        q ≥ 0; the larger, the less rare kinds count. Continuous through q = 1.

    Returns
    -------
    Number of kinds, in [1, K].

    Raises
    ------
    ValueError
        If the shares are no composition, or the order is negative or NaN.

    Source
    ------
    Hill 1973, "Diversity and evenness: a unifying notation and its consequences".
    """
    composition = as_shares(shares, "shares")
    if not order >= 0.0:
        raise ValueError(f"order: expected a number ≥ 0, got {order}")
    present = composition[composition > 0.0]
    logarithms = np.log(present)
    if order == 0.0:
        return float(present.size)
    if math.isinf(order):
        return float(1.0 / present.max())
    if order == 1.0:
        return math.exp(-float(np.sum(present * logarithms)))
    if abs(order - 1.0) < 0.1:
        # Σ p^q = 1 + Σ p·(p^(q−1) − 1): no cancellation next to q = 1.
        excess = float(np.sum(present * np.expm1((order - 1.0) * logarithms)))
        return math.exp(math.log1p(excess) / (1.0 - order))
    return math.exp(float(scipy.special.logsumexp(order * logarithms)) / (1.0 - order))


def effective_size(offspring: ArrayLike) -> float:
    """Effective population size from the variance in offspring numbers.

    The inverse probability that two distinct members of the new generation share a parent:
    N_e = n(n−1) / Σ k_i(k_i−1), n = Σ k_i. With mean one offspring each this is (N−1)/V, V the
    population variance of k; a Wright–Fisher generation has N_e = N in the mean of 1/N_e.

    Parameters
    ----------
    offspring
        int64 [M], number of offspring k_i ≥ 0 of every parent, those without any included.

    Returns
    -------
    N_e in [1, ∞]; infinite where no two share a parent.

    Raises
    ------
    ValueError
        If the counts are not whole numbers ≥ 0, or fewer than two offspring were born.

    Source
    ------
    Crow & Denniston 1988, "Inbreeding and variance effective population numbers"; Ewens 1982.
    """
    counts = np.asarray(offspring, dtype=np.float64)
    if counts.ndim != 1:
        raise ValueError(f"offspring: expected a vector of counts, got shape {counts.shape}")
    unfit = ~((counts >= 0.0) & (counts == np.floor(counts)) & np.isfinite(counts))
    if unfit.any():
        raise ValueError(f"offspring: expected whole numbers ≥ 0, got {counts[unfit][0]}")
    born = float(counts.sum())
    if born < 2.0:
        raise ValueError(f"offspring: expected at least two in all, got {born:.0f}")
    sharing = float(np.sum(counts * (counts - 1.0)))
    return math.inf if sharing == 0.0 else born * (born - 1.0) / sharing
