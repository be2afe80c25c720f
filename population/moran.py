"""The Moran process: one birth and one death at a time.

Sampling of events, and the exact fixation probability to hold it against.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from population.selection import as_rates


class Events(NamedTuple):
    """Birth–death events in order: parents int64 [E] and deaths int64 [E], both slots.

    The newborn of event e stands in the slot of the dead from then on.
    """

    parents: NDArray[np.int64]
    deaths: NDArray[np.int64]


def fixation_probability(relative_fitness: float, size: int, mutants: int = 1) -> float:
    """Probability that mutants take over a Moran population: (1 − r^−i) / (1 − r^−N).

    Continuous through the neutral case r = 1, where it is i/N.

    Parameters
    ----------
    relative_fitness
        r > 0 of the mutants, residents having 1.
    size
        N ≥ 1.
    mutants
        i of them at the start, 0 ≤ i ≤ N.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Moran 1958, "Random processes in genetics"; Lieberman, Hauert & Nowak 2005.
    """
    if not 0.0 < relative_fitness < math.inf:
        raise ValueError(f"relative_fitness: expected a finite number > 0, got {relative_fitness}")
    if size < 1:
        raise ValueError(f"size: expected a population of at least 1, got {size}")
    if not 0 <= mutants <= size:
        raise ValueError(f"mutants: expected 0 to {size} (size), got {mutants}")
    growth = math.log(relative_fitness)
    if growth == 0.0:
        return mutants / size
    # Exponents kept below zero: r^−N may exceed every float where mutants are less fit.
    ratio = math.expm1(-abs(growth) * mutants) / math.expm1(-abs(growth) * size)
    return ratio if growth > 0.0 else ratio * math.exp(growth * (size - mutants))


def sample_events(rates: ArrayLike, events: int, rng: np.random.Generator) -> Events:
    """Draw birth–death events, each in O(log M).

    In every event the parent is drawn in proportion to the rates of those now alive, and the
    death uniformly among all M slots *before* the birth, the parent's own slot among them: then
    the newborn replaces its parent and nothing changes. This is the classical Moran process. The
    newborn takes its parent's rate.

    Parameters
    ----------
    rates
        float64 [M], replication rates at the start: finite, ≥ 0, not all zero; the scale does not
        matter.
    events
        E ≥ 0; M of them are one generation.
    rng
        Generator of the stream for these events.

    Returns
    -------
    Events (parents, deaths).

    Raises
    ------
    ValueError
        If the rates are no rates or the number of events is negative.

    Source
    ------
    Moran 1958, "Random processes in genetics".
    """
    weights, quantiles, deaths = _draws(rates, events, rng)
    leaves = 1 << (weights.size - 1).bit_length()
    # A binary tree of sums, renewed upwards: no rounding is left behind by rates that are gone.
    tree = [0.0] * leaves + weights.tolist() + [0.0] * (leaves - weights.size)
    for node in range(leaves - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]
    parents = np.empty(events, dtype=np.int64)
    for event, (quantile, death) in enumerate(
        zip(quantiles.tolist(), deaths.tolist(), strict=True)
    ):
        rest = quantile * tree[1]
        node = 1
        while node < leaves:
            node *= 2
            if rest >= tree[node] and tree[node + 1] > 0.0:
                rest -= tree[node]
                node += 1
        parents[event] = node - leaves
        rate = tree[node]
        node = leaves + death
        tree[node] = rate
        while node > 1:
            node //= 2
            tree[node] = tree[2 * node] + tree[2 * node + 1]
    return Events(parents, deaths)


def sample_events_plainly(rates: ArrayLike, events: int, rng: np.random.Generator) -> Events:
    """`sample_events` in O(M) per event: the plain version that the fast one is held against."""
    weights, quantiles, deaths = _draws(rates, events, rng)
    parents = np.empty(events, dtype=np.int64)
    for event in range(events):
        cumulative = np.cumsum(weights)
        parent = np.searchsorted(cumulative, quantiles[event] * cumulative[-1], side="right")
        parents[event] = min(parent, np.flatnonzero(weights)[-1])
        weights[deaths[event]] = weights[parents[event]]
    return Events(parents, deaths)


def _draws(
    rates: ArrayLike, events: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Rates as shares of the greatest, and a quantile and a death for every event."""
    weights = as_rates(rates)
    if events < 0:
        raise ValueError(f"events: expected a number ≥ 0, got {events}")
    quantiles = rng.random(events)
    return weights / weights.max(), quantiles, rng.integers(weights.size, size=events)
