"""Finite populations under mutation and selection on the single peak, by Hamming classes.

The simulation beside `quasispecies`: L + 1 classes of sequences stand for all 2^L, which is exact,
for fitness and mutation depend on the distance from the master only.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom


def class_mutation(length: int, error_rate: float) -> NDArray[np.float64]:
    """Mutation between Hamming classes of binary sequences, Q[to, from].

    Of d wrong sites Binomial(d, μ) are mended, of L − d right ones Binomial(L − d, μ) spoiled.

    Parameters
    ----------
    length
        L ≥ 1 sites.
    error_rate
        μ per site, in [0, 1/2].

    Returns
    -------
    float64 [L + 1, L + 1], columns sum to one.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Nowak & Schuster 1989, "Error thresholds of replication in finite populations".
    """
    if length < 1:
        raise ValueError(f"length: expected at least 1, got {length}")
    if not 0.0 <= error_rate <= 0.5:
        raise ValueError(f"error_rate: expected in [0, 1/2], got {error_rate}")
    mutation = np.empty((length + 1, length + 1))
    for distance in range(length + 1):
        spoiled = binom.pmf(np.arange(length - distance + 1), length - distance, error_rate)
        kept = binom.pmf(np.arange(distance + 1), distance, 1.0 - error_rate)
        mutation[:, distance] = np.convolve(spoiled, kept)
    return np.asarray(mutation / mutation.sum(axis=0), dtype=np.float64)


def simulate_classes(
    superiority: float,
    length: int,
    error_rate: float,
    size: int,
    generations: int,
    populations: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Wright–Fisher generations of populations that begin with the master sequence alone.

    Every child draws its parent in proportion to fitness, σ of the master and 1 of all others, and
    then mutates: the class counts of a generation are multinomial given those before.

    Parameters
    ----------
    superiority
        σ ≥ 1, finite.
    length, error_rate
        As of `class_mutation`.
    size, generations, populations
        N ≥ 1 sequences in each of S ≥ 1 populations, G ≥ 0 generations.
    rng
        Generator of the stream for these births.

    Returns
    -------
    int64 [G + 1, S, L + 1], sequences at each distance from the master; every last axis sums to N.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    if not 1.0 <= superiority < math.inf:
        raise ValueError(f"superiority: expected a finite number ≥ 1, got {superiority}")
    for name, value, least in (
        ("size", size, 1),
        ("generations", generations, 0),
        ("populations", populations, 1),
    ):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    spread = class_mutation(length, error_rate).T
    # Shares of the greatest fitness, so that no superiority overflows.
    fitness = np.full(length + 1, 1.0 / superiority)
    fitness[0] = 1.0
    counts = np.zeros((generations + 1, populations, length + 1), dtype=np.int64)
    counts[0, :, 0] = size
    for g in range(generations):
        born = (counts[g] * fitness) @ spread
        counts[g + 1] = rng.multinomial(size, born / born.sum(axis=1, keepdims=True))
    return counts


def mean_distance(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean distance from the master over the length: 0 on the peak, 1/2 where it is lost.

    Parameters
    ----------
    counts
        int64 [..., L + 1], as of `simulate_classes`.

    Returns
    -------
    float64 [...]
    """
    distances = np.arange(counts.shape[-1])
    return np.asarray(counts @ distances / (counts.sum(axis=-1) * distances[-1]), dtype=np.float64)
