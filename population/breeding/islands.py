"""The island model: demes that breed apart but for migrants, and how far neutral drift parts them.

Migration is of parents: a migrant birth has its parent anywhere in the population, own deme
included, so that migration 0 isolates the demes and migration 1 makes one Wright–Fisher
population of them.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.population.breeding.operators import as_rates
from mgptn.population.breeding.wright_fisher import sample_parents


class Heterozygosities(NamedTuple):
    """Probability that two draws with replacement differ: from one deme, and from all of them.

    Attributes
    ----------
    within
        H_S, mean over demes.
    total
        H_T, of the whole population.
    """

    within: float
    total: float

    @property
    def fixation_index(self) -> float:
        """F_ST = (H_T − H_S)/H_T, 1 where demes share no kind; NaN where there is one kind only."""
        return (self.total - self.within) / self.total if self.total > 0.0 else math.nan


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


def heterozygosities(kinds: ArrayLike, sizes: Sequence[int]) -> Heterozygosities:
    """Heterozygosity within demes and in total; demes count alike, whatever their size.

    Parameters
    ----------
    kinds
        int64 [M], the kind (a neutral label, say) of the agent in every slot, ≥ 0.
    sizes
        [D] agents of each deme, as of `sample_island_parents`.

    Raises
    ------
    ValueError
        If kinds are no whole numbers ≥ 0, or sizes do not fit them.

    Source
    ------
    Nei 1973, "Analysis of gene diversity in subdivided populations".
    """
    labels = np.asarray(kinds)
    if labels.ndim != 1 or labels.size == 0 or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(f"kinds: expected whole numbers ≥ 0, got {labels}")
    counts = _checked_sizes(sizes, labels.size)
    _, kind = np.unique(labels, return_inverse=True)
    shares = np.zeros((counts.size, int(kind.max()) + 1))
    np.add.at(shares, (np.repeat(np.arange(counts.size), counts), kind), 1.0)
    shares /= counts[:, None]
    pooled = shares.mean(axis=0)
    within = np.sum(shares * (1.0 - shares), axis=1).mean()
    return Heterozygosities(float(within), float(np.sum(pooled * (1.0 - pooled))))


def neutral_heterozygosities(
    start: Heterozygosities, size: int, demes: int, migration: float, generations: int
) -> Heterozygosities:
    """Expected heterozygosities after neutral drift without mutation, in demes of equal size.

    Exact: with s = (1−m)², the chance that two births are both residents',
    H_S' = (1 − 1/n)·(s·H_S + (1−s)·H_T) and, between demes, H_B' = s·H_B + (1−s)·H_T, where
    H_T = H_S/D + (1 − 1/D)·H_B.

    Parameters
    ----------
    start
        Heterozygosities at the start.
    size, demes
        n ≥ 1 agents in each of D ≥ 2 demes.
    migration
        m, probability per birth, in [0, 1].
    generations
        t ≥ 0.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Nei 1973 for the parts; Maruyama 1970 for the finite island model.
    """
    if generations < 0:
        raise ValueError(f"generations: expected a number ≥ 0, got {generations}")
    step = np.linalg.matrix_power(_drift(size, demes, migration), generations)
    within, total = step @ np.array([start.within, start.total])
    return Heterozygosities(float(within), float(total))


def expected_fixation_index(size: int, demes: int, migration: float) -> float:
    """F_ST that neutral drift and migration settle on: expected H_S and H_T decay in its ratio.

    As D → ∞ it is Wright's 1/(n − (n−1)(1−m)²), about 1/(1 + 2nm) for haploid agents. Without
    migration it is 1.

    Arguments and errors as of `neutral_heterozygosities`.

    Source
    ------
    Wright 1951, "The genetical structure of populations"; Maruyama 1970.
    """
    values, vectors = np.linalg.eig(_drift(size, demes, migration))
    within, total = np.real(vectors[:, np.argmax(np.real(values))])
    return float((total - within) / total)


def _drift(size: int, demes: int, migration: float) -> NDArray[np.float64]:
    """One generation of expected (H_S, H_T), float64 [to, from]."""
    for name, value, least in (("size", size, 1), ("demes", demes, 2)):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    if not 0.0 <= migration <= 1.0:
        raise ValueError(f"migration: expected a probability in [0, 1], got {migration}")
    residents = (1.0 - migration) ** 2
    within = (1.0 - 1.0 / size) * np.array([residents, 1.0 - residents])
    # H_B = (D·H_T − H_S)/(D − 1)
    apart = np.array([-1.0, float(demes)]) / (demes - 1.0)
    between = residents * apart + np.array([0.0, 1.0 - residents])
    return np.stack([within, within / demes + (1.0 - 1.0 / demes) * between])


def _checked_sizes(sizes: Sequence[int], agents: int) -> NDArray[np.int64]:
    counts = np.asarray(sizes, dtype=np.int64)
    if counts.ndim != 1 or not np.all(counts >= 1) or counts.sum() != agents:
        raise ValueError(f"sizes: expected numbers ≥ 1 with sum {agents}, got {list(sizes)}")
    return counts
