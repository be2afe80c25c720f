"""What repeated sampling gets out of a model, and what optimising a proxy too far costs."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray


def pass_at_k(samples: int, correct: int, draws: int) -> float:
    """Unbiased estimate of the probability that one of k samples is right: 1 − C(n−c, k)/C(n, k).

    Computed as a sum of logarithms, so that n = 10⁴ and more neither overflow nor lose digits.

    Parameters
    ----------
    samples
        n ≥ 1 samples that were judged.
    correct
        c of them right, 0 ≤ c ≤ n.
    draws
        k, 0 ≤ k ≤ n.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Chen et al. 2021, "Evaluating large language models trained on code".
    """
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    if not 0 <= correct <= samples:
        raise ValueError(f"correct: expected 0 to {samples} (samples), got {correct}")
    if not 0 <= draws <= samples:
        raise ValueError(f"draws: expected 0 to {samples} (samples), got {draws}")
    if samples - correct < draws:
        return 1.0
    # C(n−c, k)/C(n, k) is symmetric in c and k: take the shorter product.
    few, many = sorted((correct, draws))
    factors = np.log1p(-many / np.arange(samples, samples - few, -1, dtype=np.float64))
    return -math.expm1(float(factors.sum()))


def best_of_n_kl(samples: int) -> float:
    """KL divergence of best-of-n sampling from its model: ln n − (n−1)/n, in nats.

    Exact where no two samples tie in reward; with ties an upper bound.

    Parameters
    ----------
    samples
        n ≥ 1.

    Raises
    ------
    ValueError
        If there is no sample.

    Source
    ------
    Stiennon et al. 2020; Beirami et al. 2024 for the bound.
    """
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    return math.log(samples) - (samples - 1) / samples


def best_of_n_weights(scores: ArrayLike, samples: int) -> NDArray[np.float64]:
    """How likely each of a pool's answers is the best by score of n drawn from it; ties even.

    Draws are without replacement, so that the weights give the unbiased estimate of anything of
    the best of n: ``weights @ values``. With verdicts for scores and values it is `pass_at_k`.

    Parameters
    ----------
    scores
        float64 [P], of every answer in the pool.
    samples
        n, 1 ≤ n ≤ P.

    Returns
    -------
    float64 [P], sum one.

    Raises
    ------
    ValueError
        If there are not so many answers, or a score is NaN.

    Source
    ------
    Chen et al. 2021 for the estimate; Nakano et al. 2021, "WebGPT", for best-of-n by it.
    """
    given = np.asarray(scores, dtype=np.float64)
    pool = len(given)
    if not 1 <= samples <= pool:
        raise ValueError(f"samples: expected 1 to {pool} (the pool), got {samples}")
    if np.isnan(given).any():
        raise ValueError("scores: expected numbers, got NaN")
    _, place, counts = np.unique(-given, return_inverse=True, return_counts=True)
    # Answers from a tie downwards: none above it is drawn with probability C(a, n) / C(P, n).
    least = pool - np.concatenate([[0], np.cumsum(counts)])
    enough = np.maximum(least, samples)
    log_none = scipy.special.gammaln(enough + 1) - scipy.special.gammaln(enough - samples + 1)
    log_none -= scipy.special.gammaln(pool + 1) - scipy.special.gammaln(pool - samples + 1)
    none_above = np.where(least >= samples, np.exp(log_none), 0.0)
    each: NDArray[np.float64] = (none_above[:-1] - none_above[1:]) / counts
    return each[place]


def best_of_n_gold(distance: float, slope: float, decay: float) -> float:
    """Gold reward under best-of-n optimisation of a proxy: d·(α − β·d).

    Parameters
    ----------
    distance
        d = √KL ≥ 0 from the initial model, KL in nats.
    slope, decay
        α and β of the proxy, in units of reward.

    Raises
    ------
    ValueError
        If the distance is negative.

    Source
    ------
    Gao, Schulman & Hilton 2022, "Scaling laws for reward model overoptimization".
    """
    if not distance >= 0.0:
        raise ValueError(f"distance: expected a number ≥ 0, got {distance}")
    return distance * (slope - decay * distance)
