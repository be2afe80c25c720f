"""Recombination of contexts: a child's examples from one parent or two, and from which it has each.

Only contexts are mixed; all else of a genome is the first parent's.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mgptn.population.records.agents import Genome


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an example of a child comes from: parent 0 or 1, and its place in that context."""

    parent: int
    place: int


@dataclass(frozen=True, slots=True)
class Recombinant:
    """A child's genome, and the origin of each example of its context, in order.

    Places ascend: what stood before another example in its parent's context does so in the child's.
    """

    genome: Genome
    origins: tuple[Origin, ...]


Recombination = Callable[[Genome, Genome, int, np.random.Generator], Recombinant]
"""(first parent, second parent, capacity ≥ 0, rng) -> a child.

The child holds at most as many examples as the longer parent, and the oldest are left out over
capacity. A parent may recombine with itself. Raises ValueError if the capacity is negative.
"""


def one_point(
    first: Genome, second: Genome, capacity: int, rng: np.random.Generator
) -> Recombinant:
    """The older examples of the first parent, and from one cut on those of the second.

    The cut falls evenly on 0 … L, L the length of the longer context; at the ends the child has
    the context of one parent only.

    Source
    ------
    Holland 1975, "Adaptation in natural and artificial systems".
    """
    lengths = len(first.context), len(second.context)
    cut = int(rng.integers(max(lengths) + 1))
    origins = [Origin(0, place) for place in range(min(cut, lengths[0]))]
    origins += [Origin(1, place) for place in range(cut, lengths[1])]
    return _assemble((first, second), origins, capacity)


def uniform(first: Genome, second: Genome, capacity: int, rng: np.random.Generator) -> Recombinant:
    """Place by place the example of either parent, by a fair coin; none where that one has none.

    Source
    ------
    Syswerda 1989, "Uniform crossover in genetic algorithms".
    """
    parents = (first, second)
    coins = rng.integers(2, size=max(len(first.context), len(second.context))).tolist()
    origins = [
        Origin(coin, place)
        for place, coin in enumerate(coins)
        if place < len(parents[coin].context)
    ]
    return _assemble(parents, origins, capacity)


RECOMBINATIONS: dict[str, Recombination] = {"one-point": one_point, "uniform": uniform}
"""Every two-parent recombination by its name in a configuration."""


def thin(parent: Genome, share: float, capacity: int, rng: np.random.Generator) -> Recombinant:
    """One parent: each of its examples is kept with some probability, in order.

    Parameters
    ----------
    share
        Probability to keep an example, in [0, 1].
    capacity
        Examples that the child's context holds, ≥ 0; the oldest are left out over it.

    Raises
    ------
    ValueError
        If share or capacity are outside their range.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share: expected a probability in [0, 1], got {share}")
    kept = np.flatnonzero(rng.random(len(parent.context)) < share).tolist()
    return _assemble((parent, parent), [Origin(0, place) for place in kept], capacity)


def _assemble(parents: tuple[Genome, Genome], origins: list[Origin], capacity: int) -> Recombinant:
    if capacity < 0:
        raise ValueError(f"capacity: expected a number ≥ 0, got {capacity}")
    newest = tuple(origins[max(0, len(origins) - capacity) :])
    context = tuple(parents[origin.parent].context[origin.place] for origin in newest)
    return Recombinant(replace(parents[0], context=context), newest)
