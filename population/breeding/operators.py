"""Selection: from fitness to survival probabilities and replication rates.

Nothing is drawn here; `moran` and `wright_fisher` turn rates into births and deaths.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from mgptn.population.records.shares import as_shares

Operator = Callable[[ArrayLike, float], NDArray[np.float64]]
"""(fitness float64 [M], selection temperature > 0) -> replication rates float64 [M], mean one.

Every operator is monotone (fitter never gets less), gives equal rates to equal fitness, is neutral
(all ones) on all-equal fitness and at infinite temperature, and is strongest as it goes to zero.
Fitness −inf is lawful: such an agent gets nothing from softmax and proportional, and the worst
rank from the others. Every one raises ValueError as `replication_rates` does.
"""


def survival_probability(rewards: ArrayLike, selection_temperature: float) -> NDArray[np.float64]:
    """Probability to survive one round of soft selection: φ = exp((r − r_max)/T).

    Parameters
    ----------
    rewards
        float64 [M], finite or −inf.
    selection_temperature
        T > 0, in the units of reward; inf is lawful.

    Returns
    -------
    float64 [M], in [0, 1]; 1 for the best.

    Raises
    ------
    ValueError
        If a reward is NaN or +inf, or the selection temperature is not above zero.
    """
    values = _checked(rewards, selection_temperature, "rewards")
    if _is_neutral(values, selection_temperature):
        return np.ones(values.size)
    with np.errstate(over="ignore"):
        survival: NDArray[np.float64] = np.exp((values - values.max()) / selection_temperature)
    return survival


def soft_select(
    probabilities: ArrayLike, rewards: ArrayLike, selection_temperature: float, rounds: int
) -> NDArray[np.float64]:
    """Distribution after rounds of soft selection: p' ∝ p·exp(t·r/T).

    t rounds at T equal one at T/t. It is the maximum of E_π[r] − (T/t)·KL(π‖p) over π.

    Parameters
    ----------
    probabilities
        float64 [K], p, sum one.
    rewards
        float64 [K], r, finite or −inf.
    selection_temperature
        T > 0, in the units of reward.
    rounds
        t ≥ 0.

    Returns
    -------
    float64 [K], sum one.

    Raises
    ------
    ValueError
        If an argument is outside its range, shapes differ, or nothing with a share survives.
    """
    shares = as_shares(probabilities, "probabilities")
    values = np.asarray(rewards, dtype=np.float64)
    if values.shape != shares.shape:
        raise ValueError(f"rewards: expected shape {shares.shape}, got {values.shape}")
    if rounds < 0:
        raise ValueError(f"rounds: expected a number ≥ 0, got {rounds}")
    values = _checked(values, selection_temperature, "rewards")
    if rounds == 0:
        return shares.copy()
    present = shares > 0.0
    if np.all(values[present] == -math.inf):
        raise ValueError("rewards: expected one above −inf where probability > 0, got none")
    # The best that is present sets the scale, so that it never underflows.
    survivors = np.zeros(shares.size)
    survival = survival_probability(values[present], selection_temperature / rounds)
    survivors[present] = shares[present] * survival
    selected: NDArray[np.float64] = survivors / survivors.sum()
    return selected


def replication_rates(fitness: ArrayLike, selection_temperature: float) -> NDArray[np.float64]:
    """Softmax selection: w_i = exp(f_i/T) / mean_j exp(f_j/T), without overflow.

    Parameters
    ----------
    fitness
        float64 [M], finite or −inf.
    selection_temperature
        T > 0, in the units of fitness: ∞ is neutral drift, → 0 takes the best only (ties at the
        top share equally).

    Returns
    -------
    float64 [M], expected offspring, mean one.

    Raises
    ------
    ValueError
        If there is no agent, a fitness is NaN or +inf (its index is named), or the selection
        temperature is not above zero.
    """
    values = _checked(fitness, selection_temperature, "fitness")
    return _with_mean_one(survival_probability(values, selection_temperature))


def proportional(fitness: ArrayLike, selection_temperature: float) -> NDArray[np.float64]:
    """Roulette selection: w ∝ (f − min f) + T, the minimum over agents with finite fitness.

    Arguments, result and errors as of `replication_rates`.

    Source
    ------
    Holland 1975, with the selection temperature as the floor under the least fit.
    """
    values = _checked(fitness, selection_temperature, "fitness")
    alive = values > -math.inf
    if _is_neutral(values, selection_temperature):
        return np.ones(values.size)
    # Halves, so that the span of the largest floats is still a float.
    above = values[alive] / 2.0 - values[alive].min() / 2.0
    scale = max(float(above.max()), selection_temperature / 2.0)
    weights = np.zeros(values.size)
    weights[alive] = above / scale + selection_temperature / 2.0 / scale if scale > 0.0 else 1.0
    return _with_mean_one(weights)


def linear_rank(fitness: ArrayLike, selection_temperature: float) -> NDArray[np.float64]:
    """Linear ranking: the best gets s = 1 + 1/(1+T), the worst 2 − s, ties the mean of their ranks.

    Arguments, result and errors as of `replication_rates`; T has no unit.

    Source
    ------
    Baker 1985, "Adaptive selection methods for genetic algorithms".
    """
    values = _checked(fitness, selection_temperature, "fitness")
    if _is_neutral(values, selection_temperature):
        return np.ones(values.size)
    centred = (2.0 * scipy.stats.rankdata(values) - values.size - 1.0) / (values.size - 1.0)
    return _with_mean_one(1.0 + centred / (1.0 + selection_temperature))


def truncation(fitness: ArrayLike, selection_temperature: float) -> NDArray[np.float64]:
    """Truncation: the best T/(1+T) of the agents breed, at least one, all alike.

    The number that breeds need not be whole: the agent at the cut gets the fraction, and agents
    tied at the cut share what is left equally.

    Arguments, result and errors as of `replication_rates`; T has no unit.

    Source
    ------
    Crow & Kimura 1979, "Efficiency of truncation selection".
    """
    values = _checked(fitness, selection_temperature, "fitness")
    if _is_neutral(values, selection_temperature):
        return np.ones(values.size)
    breeding = max(1.0, values.size * (selection_temperature / (1.0 + selection_temperature)))
    from_worst = np.arange(values.size)
    places = np.clip(breeding - from_worst[::-1], 0.0, 1.0)
    return _share_ties(values, places)


def k_tournament(fitness: ArrayLike, selection_temperature: float) -> NDArray[np.float64]:
    """Tournament selection: every child's parent is the best of k = 1 + 1/T drawn with replacement.

    With F the rank's cumulative share, w = M·(F_r^k − F_{r−1}^k); k need not be whole. Ties share.

    Arguments, result and errors as of `replication_rates`; T has no unit.

    Source
    ------
    Goldberg & Deb 1991, "A comparative analysis of selection schemes".
    """
    values = _checked(fitness, selection_temperature, "fitness")
    if _is_neutral(values, selection_temperature):
        return np.ones(values.size)
    # 1/T of the smallest floats is infinite; this k already takes the best only.
    k = 1.0 + 1.0 / max(selection_temperature, 1e-300)
    ranks = np.arange(1, values.size + 1)
    places = (ranks / values.size) ** k
    with np.errstate(divide="ignore"):
        places *= -np.expm1(k * np.log1p(-1.0 / ranks))
    return _share_ties(values, places)


OPERATORS: dict[str, Operator] = {
    "softmax": replication_rates,
    "proportional": proportional,
    "linear-rank": linear_rank,
    "truncation": truncation,
    "k-tournament": k_tournament,
}
"""Every selection operator by its name in a configuration."""


def as_rates(rates: ArrayLike) -> NDArray[np.float64]:
    """Check replication rates: float64 [M], finite, ≥ 0, not all zero.

    Raises
    ------
    ValueError
        If they are not; the agent's index is named.
    """
    values = np.asarray(rates, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"rates: expected one per agent, got shape {values.shape}")
    unfit = np.flatnonzero(~((values >= 0.0) & np.isfinite(values)))
    if unfit.size:
        raise ValueError(
            f"rates: expected finite numbers ≥ 0, got {values[unfit[0]]} of agent {unfit[0]}"
        )
    if not values.any():
        raise ValueError("rates: expected at least one above 0, got none")
    return values


def _checked(fitness: ArrayLike, selection_temperature: float, name: str) -> NDArray[np.float64]:
    values = np.asarray(fitness, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name}: expected one per agent, got shape {values.shape}")
    unfit = np.flatnonzero(np.isnan(values) | (values == math.inf))
    if unfit.size:
        raise ValueError(
            f"{name}: expected finite numbers or -inf, got {values[unfit[0]]} of agent {unfit[0]}"
        )
    if not selection_temperature > 0.0:
        raise ValueError(
            f"selection_temperature: expected a number > 0, got {selection_temperature}"
        )
    return values


def _is_neutral(values: NDArray[np.float64], selection_temperature: float) -> bool:
    return math.isinf(selection_temperature) or bool(np.all(values == values[0]))


def _with_mean_one(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    rates: NDArray[np.float64] = weights / weights.mean()
    return rates


def _share_ties(values: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates from what every place from worst to best is worth, places of equals averaged."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    worth = np.add.reduceat(places, np.cumsum(sizes) - sizes) / sizes
    # Rounding may disturb the order of nearly equal worths.
    return _with_mean_one(np.maximum.accumulate(worth)[group])
