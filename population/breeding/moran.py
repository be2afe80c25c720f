"""The Moran process, one birth and one death at a time, in either order: birth–death, death–birth.

Sampling of events, and the exact fixation probabilities to hold them against.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.population.breeding.operators import as_rates


class Events(NamedTuple):
    """Events in order: parents int64 [E] and deaths int64 [E], both slots.

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
    growth = _checked_growth(relative_fitness, size, mutants)
    if growth == 0.0:
        return mutants / size
    # Exponents kept below zero: r^−N may exceed every float where mutants are less fit.
    ratio = math.expm1(-abs(growth) * mutants) / math.expm1(-abs(growth) * size)
    return ratio if growth > 0.0 else ratio * math.exp(growth * (size - mutants))


def death_birth_fixation_probability(relative_fitness: float, size: int, mutants: int = 1) -> float:
    """Probability that mutants take over a population under death–birth events.

    (1 − (i/N)·r^−(i−1) − (1 − i/N)·r^−i) / (1 − r^−(N−1)), for one mutant
    (1 − 1/N)·(1 − 1/r) / (1 − r^−(N−1)); i/N in the neutral case. An advantage of the mutants
    counts for less than under birth–death, for it never beats the slot that dies.

    Arguments and errors as of `fixation_probability`.

    Source
    ------
    Kaveh, Komarova & Kohandel 2015, "The duality of spatial death–birth and birth–death
    processes"; Hindersin & Traulsen 2015. For i mutants: the ratios of losing to winning a
    mutant, (r·i + N−i−1) / (r·(r·(i−1) + N−i)), make products and a sum in closed form.
    """
    growth = _checked_growth(relative_fitness, size, mutants)
    if growth == 0.0 or mutants in (0, size):
        return mutants / size
    share = mutants / size
    rate = abs(growth)
    if growth > 0.0:
        won = share * math.expm1(-rate * (mutants - 1)) + (1.0 - share) * math.expm1(
            -rate * mutants
        )
        return won / math.expm1(-rate * (size - 1))
    # All times r^(N−1), which is the smaller the less fit mutants are.
    won = share * math.expm1(-rate * (mutants - 1)) * math.exp(-rate * (size - mutants))
    won += (1.0 - share) * math.expm1(-rate * mutants) * math.exp(-rate * (size - mutants - 1))
    return won / math.expm1(-rate * (size - 1))


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
    tree = _sums(weights)
    parents = np.empty(events, dtype=np.int64)
    for event, (quantile, death) in enumerate(
        zip(quantiles.tolist(), deaths.tolist(), strict=True)
    ):
        parent = _pick(tree, quantile)
        parents[event] = parent
        _renew(tree, death, tree[len(tree) // 2 + parent])
    return Events(parents, deaths)


def sample_death_birth(rates: ArrayLike, events: int, rng: np.random.Generator) -> Events:
    """Draw death–birth events, each in O(log M).

    In every event the death is drawn uniformly among all M slots, and then the parent among the
    other M − 1 in proportion to their rates, so that nobody ever replaces itself. The newborn
    takes its parent's rate. Should all the others have rate zero, each is as likely a parent.

    Parameters
    ----------
    rates
        float64 [M], M ≥ 2, replication rates at the start: finite, ≥ 0, not all zero; the scale
        does not matter.
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
        If the rates are no rates of at least two agents, or the number of events is negative.

    Source
    ------
    Ohtsuki, Hauert, Lieberman & Nowak 2006, "A simple rule for the evolution of cooperation on
    graphs and social networks", on the complete graph.
    """
    weights, quantiles, deaths = _competitors(rates, events, rng)
    tree = _sums(weights)
    parents = np.empty(events, dtype=np.int64)
    for event, (quantile, death) in enumerate(
        zip(quantiles.tolist(), deaths.tolist(), strict=True)
    ):
        _renew(tree, death, 0.0)
        if tree[1] > 0.0:
            parent = _pick(tree, quantile)
        else:
            parent = _any_other(quantile, death, weights.size)
        parents[event] = parent
        _renew(tree, death, tree[len(tree) // 2 + parent])
    return Events(parents, deaths)


def _sums(weights: NDArray[np.float64]) -> list[float]:
    """A binary tree of sums: the root at 1, the children of node i at 2i and 2i + 1, then leaves.

    It is renewed upwards, so that no rounding is left behind by rates that are gone.
    """
    leaves = 1 << (weights.size - 1).bit_length()
    tree: list[float] = [0.0] * leaves + weights.tolist() + [0.0] * (leaves - weights.size)
    for node in range(leaves - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]
    return tree


def _pick(tree: list[float], quantile: float) -> int:
    """The slot at a quantile of the rates; never one with rate zero while there is another."""
    leaves = len(tree) // 2
    rest = quantile * tree[1]
    node = 1
    while node < leaves:
        node *= 2
        if rest >= tree[node] and tree[node + 1] > 0.0:
            rest -= tree[node]
            node += 1
    return node - leaves


def _renew(tree: list[float], slot: int, rate: float) -> None:
    """Give a slot another rate."""
    node = len(tree) // 2 + slot
    tree[node] = rate
    while node > 1:
        node //= 2
        tree[node] = tree[2 * node] + tree[2 * node + 1]


def _any_other(quantile: float, slot: int, size: int) -> int:
    """One of the other slots, each as likely."""
    other = min(int(quantile * (size - 1)), size - 2)
    return other + (other >= slot)


def _competitors(
    rates: ArrayLike, events: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """`_draws` for at least two agents."""
    if np.size(rates) < 2:
        raise ValueError(f"rates: expected those of at least 2 agents, got {np.size(rates)}")
    return _draws(rates, events, rng)


def _draws(
    rates: ArrayLike, events: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Rates as shares of the greatest, and a quantile and a death for every event."""
    weights = as_rates(rates)
    if events < 0:
        raise ValueError(f"events: expected a number ≥ 0, got {events}")
    quantiles = rng.random(events)
    return weights / weights.max(), quantiles, rng.integers(weights.size, size=events)


def _checked_growth(relative_fitness: float, size: int, mutants: int) -> float:
    """ln r, of arguments within their range."""
    if not 0.0 < relative_fitness < math.inf:
        raise ValueError(f"relative_fitness: expected a finite number > 0, got {relative_fitness}")
    if size < 1:
        raise ValueError(f"size: expected a population of at least 1, got {size}")
    if not 0 <= mutants <= size:
        raise ValueError(f"mutants: expected 0 to {size} (size), got {mutants}")
    return math.log(relative_fitness)
