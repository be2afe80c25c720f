"""The island model: demes that breed apart but for migrants.

Migration is of parents: a migrant birth has its parent anywhere in the population, own deme
included, so that migration 0 isolates the demes and migration 1 makes one Wright–Fisher
population of them.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.population.breeding.operators import as_rates
from mgptn.population.breeding.wright_fisher import sample_parents


def sample_island_parents(
    rates: ArrayLike, sizes: Sequence[int], migration: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the parent of every slot of the next generation of an island population.

    Each birth is a migrant's with the probability of migration; its parent is then drawn by rate
    from all agents, otherwise by rate from the slot's deme. Neutral drift is rates of ones.

    Parameters
    ----------
    rates
        float64 [M], replication rates: finite, ≥ 0, not all zero in any deme that breeds on its
        own. Their scale within a deme matters for migrants only: with mean one in every deme,
        demes send migrants by their size (soft selection).
    sizes
        [D] agents of each deme, sum M; the first deme has the first slots.
    migration
        Probability per birth, in [0, 1].
    rng
        Generator of the stream for these births.

    Returns
    -------
    int64 [M], slot of the parent of every slot.

    Raises
    ------
    ValueError
        If the rates are no rates, sizes do not fit them, or migration is no probability.

    Source
    ------
    Wright 1931, "Evolution in Mendelian populations".
    """
    weights = as_rates(rates)
    ends = np.cumsum(_checked_sizes(sizes, weights.size))
    if not 0.0 <= migration <= 1.0:
        raise ValueError(f"migration: expected a probability in [0, 1], got {migration}")
    migrants = rng.random(weights.size) < migration
    parents = sample_parents(weights, rng)
    if migration == 1.0:
        return parents
    for deme, (size, end) in enumerate(zip(sizes, ends.tolist(), strict=True)):
        slots = slice(end - size, end)
        if not weights[slots].any():
            raise ValueError(f"rates: expected one above 0 in every deme, got none in deme {deme}")
        residents = sample_parents(weights[slots], rng) + (end - size)
        parents[slots] = np.where(migrants[slots], parents[slots], residents)
    return parents


def _checked_sizes(sizes: Sequence[int], agents: int) -> NDArray[np.int64]:
    counts = np.asarray(sizes, dtype=np.int64)
    if counts.ndim != 1 or not np.all(counts >= 1) or counts.sum() != agents:
        raise ValueError(f"sizes: expected numbers ≥ 1 with sum {agents}, got {list(sizes)}")
    return counts
