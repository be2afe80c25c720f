"""Mutation and selection in an infinite population: the stationary cloud, its error threshold."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp

from mgptn.population.records.shares import SHARE_TOLERANCE


class Cloud(NamedTuple):
    """Growth rate per generation, and the stationary distribution float64 [K], sum one."""

    growth: float
    distribution: NDArray[np.float64]


class HammingCloud(NamedTuple):
    """Growth rate per generation, and the master sequence's share of the population."""

    growth: float
    master: float


def quasispecies_stationary(mutation: ArrayLike, fitness: ArrayLike) -> Cloud:
    """Leading eigenpair of Q·diag(f): the cloud that mutation and selection settle on.

    Unique where every kind can be reached from every other. Shares are right to about 1e-15
    absolutely, so digits of shares below that mean nothing; `hamming_stationary` keeps them.

    Parameters
    ----------
    mutation
        float64 [K, K], Q[to, from]: probability that the child of a `from` is a `to`; columns
        sum to one.
    fitness
        float64 [K], f ≥ 0, offspring of each kind, some above zero.

    Raises
    ------
    ValueError
        If shapes differ, an entry is negative or not finite, a column does not sum to one, or all
        fitness is zero.

    Source
    ------
    Eigen 1971; Perron's theorem.
    """
    matrix = _growth_matrix(mutation, fitness)
    if not matrix.any():
        raise ValueError("fitness: expected at least one above 0, got none")
    values, vectors = np.linalg.eig(matrix)
    leading = int(np.argmax(values.real))
    cloud = np.abs(vectors[:, leading].real)
    return Cloud(float(values[leading].real), cloud / cloud.sum())


def error_threshold(superiority: float, length: int) -> float:
    """Error rate per site above which the master sequence is lost: 1 − σ^(−1/L).

    Single-peak landscape, no back mutation.

    Parameters
    ----------
    superiority
        σ ≥ 1, fitness of the master over everyone else's.
    length
        L ≥ 1 sites.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Eigen 1971.
    """
    _check_peak(superiority, length)
    return -math.expm1(-math.log(superiority) / length)


def hamming_stationary(superiority: float, length: int, error_rate: float) -> HammingCloud:
    """Stationary cloud of the single-peak landscape over binary sequences, back mutation included.

    The mutation matrix has eigenvalues q_k = (1−2μ)^k, C(L, k) of each, so the growth λ = 1 + δ
    is the root of (σ−1)·2^−L·Σ_k C(L, k)·q_k/(λ − q_k) = 1, and the master's share δ/(σ−1).
    Solved for ln δ: right to 11 digits or so even where the share is near 2^−L.

    Parameters
    ----------
    superiority
        σ ≥ 1, fitness of the master, all others having 1.
    length
        L ≥ 1 sites, up to 200 and more.
    error_rate
        μ per site, in [0, 1/2].

    Returns
    -------
    HammingCloud (growth, master).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Swetina & Schuster 1982, "Self-replication with errors"; Rumschitzki 1987 for the spectrum.
    """
    _check_peak(superiority, length)
    if not 0.0 <= error_rate <= 0.5:
        raise ValueError(f"error_rate: expected in [0, 1/2], got {error_rate}")
    rarest = -length * math.log(2.0)
    if superiority == 1.0:
        return HammingCloud(1.0, math.exp(rarest))
    orders = np.arange(length + 1.0)
    # At μ = 1/2 all decay at once; e^−10⁶ is zero, and zero times it is a number.
    log_decay = orders * (math.log1p(-2.0 * error_rate) if error_rate < 0.5 else -1e6)
    log_weights = gammaln(length + 1.0) - gammaln(orders + 1.0) - gammaln(length - orders + 1.0)
    log_weights += rarest + math.log(superiority - 1.0) + log_decay
    gaps = -np.expm1(log_decay)

    def surplus(log_excess: float) -> float:
        return float(logsumexp(log_weights - np.log(math.exp(log_excess) + gaps)))

    lowest = rarest + math.log(superiority - 1.0)
    # Room on both sides: at μ = 0 and 1/2 the root lies on an end.
    log_excess = float(brentq(surplus, lowest - 0.7, lowest - rarest + 0.7, xtol=1e-14, rtol=1e-15))
    excess = math.exp(log_excess)
    return HammingCloud(1.0 + excess, excess / (superiority - 1.0))


def _growth_matrix(mutation: ArrayLike, fitness: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(mutation, dtype=np.float64)
    rates = np.asarray(fitness, dtype=np.float64)
    if rates.ndim != 1 or not np.all((rates >= 0.0) & np.isfinite(rates)):
        raise ValueError(f"fitness: expected a vector of finite numbers ≥ 0, got {rates}")
    if matrix.shape != (rates.size, rates.size):
        raise ValueError(f"mutation: expected shape {(rates.size,) * 2}, got {matrix.shape}")
    sums = matrix.sum(axis=0)
    if not np.all(matrix >= 0.0) or not np.all(np.abs(sums - 1.0) <= SHARE_TOLERANCE):
        raise ValueError(f"mutation: expected columns ≥ 0 that sum to one, got sums {sums}")
    grown: NDArray[np.float64] = matrix * rates
    return grown


def _check_peak(superiority: float, length: int) -> None:
    if not 1.0 <= superiority < math.inf:
        raise ValueError(f"superiority: expected a finite number ≥ 1, got {superiority}")
    if length < 1:
        raise ValueError(f"length: expected at least 1, got {length}")
