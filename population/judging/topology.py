"""Topology: for every author, those who may grade it; who of them does is `pairing`'s to draw.

A topology is of slots, not of agents: a child takes the neighbourhood of the slot that it is born
into. Those by strength are of the models that live in the slots, so they move with the population.
networkx is imported by those that need its graphs, so that a configuration is checked at once.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.settled import check_least, check_name, check_probabilities

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Topology:
    """Which topology, and what is set about it.

    Attributes
    ----------
    name
        In `TOPOLOGIES`.
    neighbours
        Under ``ring`` and ``small-world``: nearest others on the ring, half on each side; even.
    rewiring
        Under ``small-world``: probability that an edge leads to a random other instead.
    islands
        Under ``islands``: groups of adjacent slots, of equal size.
    strengths
        Model → its strength, in any unit, where the topology asks for it.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    name: str = "random"
    neighbours: int = 4
    rewiring: float = 0.1
    islands: int = 2
    strengths: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("topology.name", self.name, TOPOLOGIES)
        check_probabilities(self, "rewiring")
        check_least(self, 1, "islands")


@dataclass(frozen=True, slots=True)
class Eligible:
    """Who may grade whom: a stretch of one list for every author.

    Attributes
    ----------
    slots
        Integers [E].
    first, last
        int64 [M]: the author in slot a may be graded by ``slots[first[a]:last[a]]``, itself
        excepted.
    own
        int64 [M], where in `slots` the author itself stands within that stretch; −1 where it does
        not.
    """

    slots: Places
    first: Places
    last: Places
    own: Places

    @property
    def counts(self) -> Places:
        """int64 [M], how many may grade each author."""
        return self.last - self.first - (self.own >= 0)

    def of(self, author: int) -> list[int]:
        """The slots that may grade an author's answers."""
        stretch = self.slots[self.first[author] : self.last[author]].tolist()
        return [slot for slot in stretch if slot != author]


Draw = Callable[[int, int, Topology, Sequence[str], np.random.Generator], Eligible]
"""(agents, graders of an answer, topology, each slot's model, rng) → who may grade whom."""


def eligible_graders(
    size: int,
    graders: int,
    topology: Topology,
    models: Sequence[str] = (),
    rng: np.random.Generator | None = None,
) -> Eligible:
    """Who may grade whom among `size` agents.

    Parameters
    ----------
    graders
        Of each answer, K ≥ 0.
    models
        Of each slot; only topologies by strength look at them.
    rng
        For ``small-world``, the only one that is drawn.

    Raises
    ------
    ValueError
        If the topology cannot be had with so many agents. That an author has too few is
        `check_enough`'s to say.
    """
    drawn = np.random.Generator(np.random.Philox(0)) if rng is None else rng
    return TOPOLOGIES[topology.name](size, graders, topology, models, drawn)


def check_enough(eligible: Eligible, graders: int, name: str) -> None:
    """Refuse a topology under which somebody has too few graders.

    Raises
    ------
    ValueError
        Naming the field, the first author with fewest, and how many may grade it.
    """
    counts = eligible.counts
    if counts.size and counts.min() < graders:
        slot = int(counts.argmin())
        raise ValueError(
            f"protocol.graders: expected at most {counts[slot]}, which is how many may grade the "
            f"agent in slot {slot} under protocol.topology {name}, got {graders}"
        )


def _complete(
    size: int, graders: int, topology: Topology, models: Sequence[str], rng: np.random.Generator
) -> Eligible:
    """Everybody else."""
    every = np.arange(size)
    return Eligible(every, np.zeros(size, dtype=np.int64), np.full(size, size), every)


def _ring(
    size: int, graders: int, topology: Topology, models: Sequence[str], rng: np.random.Generator
) -> Eligible:
    """The nearest on a ring, half of them on each side."""
    import networkx as nx

    return _of_graph(nx.circulant_graph(size, range(1, topology.neighbours // 2 + 1)))


def _small_world(
    size: int, graders: int, topology: Topology, models: Sequence[str], rng: np.random.Generator
) -> Eligible:
    """A ring some of whose edges lead elsewhere.

    Source
    ------
    Watts & Strogatz 1998, "Collective dynamics of 'small-world' networks".
    """
    import networkx as nx

    neighbours = min(topology.neighbours, size - 1)
    return _of_graph(nx.watts_strogatz_graph(size, neighbours, topology.rewiring, seed=rng))


def _lattice(periodic: bool) -> Draw:
    def draw(
        size: int, graders: int, topology: Topology, models: Sequence[str], rng: np.random.Generator
    ) -> Eligible:
        import networkx as nx

        rows = max(r for r in range(1, math.isqrt(size) + 1) if size % r == 0)
        graph = nx.grid_2d_graph(rows, size // rows, periodic=periodic)
        return _of_graph(nx.convert_node_labels_to_integers(graph, ordering="sorted"))

    return draw


def _islands(
    size: int, graders: int, topology: Topology, models: Sequence[str], rng: np.random.Generator
) -> Eligible:
    """The others of one's own island."""
    if size % topology.islands:
        raise ValueError(
            f"population.islands.count: expected a divisor of population.size = {size} (islands "
            f"are of equal size), got {topology.islands}"
        )
    every, each = np.arange(size), size // topology.islands
    start = every - every % each
    return Eligible(every, start, start + each, every)


def _central_judge(
    size: int, graders: int, topology: Topology, models: Sequence[str], rng: np.random.Generator
) -> Eligible:
    """The agents in the first K slots grade everybody; slot K stands in on their own answers."""
    every = np.arange(size)
    judged = every <= graders
    last = np.where(judged, min(graders + 1, size), min(graders, size))
    return Eligible(every, np.zeros(size, dtype=np.int64), last, np.where(judged, every, -1))


def _by_strength(sign: int) -> Draw:
    """Others at least as strong (sign 1), or at most (sign −1).

    Where selection has left an author fewer than K such, the next after them grade it too.
    """

    def draw(
        size: int, graders: int, topology: Topology, models: Sequence[str], rng: np.random.Generator
    ) -> Eligible:
        strengths = sign * np.array([topology.strengths[model] for model in models])
        order = np.argsort(strengths, kind="stable")
        first = np.searchsorted(strengths[order], strengths, side="left")
        first = np.minimum(first, max(0, size - graders - 1)).astype(np.int64)
        return Eligible(order, first, np.full(size, size), np.argsort(order, kind="stable"))

    return draw


TOPOLOGIES: dict[str, Draw] = {
    "random": _complete,
    "all-pairs": _complete,
    "ring": _ring,
    "grid": _lattice(periodic=False),
    "torus": _lattice(periodic=True),
    "small-world": _small_world,
    "islands": _islands,
    "central-judge": _central_judge,
    "strong-grades-weak": _by_strength(1),
    "weak-grades-strong": _by_strength(-1),
}
"""Every topology by its name in a configuration.

``random`` draws K of all others, under ``all-pairs`` all of them grade. ``grid`` has edges, which
end; ``torus`` wraps round. Both have as nearly as many rows as columns as the size allows, and a
slot's neighbours are the four beside it.
"""

BY_STRENGTH = ("strong-grades-weak", "weak-grades-strong")
"""Topologies that look at the models in the slots."""


def founders_by_strength(topology: Topology, models: Sequence[str]) -> list[int]:
    """How many others are as strong as the topology wants each founder's graders, strictly."""
    sign = 1 if topology.name == "strong-grades-weak" else -1
    strengths = sign * np.array([topology.strengths[model] for model in models])
    ascending = np.sort(strengths)
    found = len(strengths) - np.searchsorted(ascending, strengths, side="left") - 1
    return list(found.tolist())


def _of_graph(graph: Any) -> Eligible:
    """Neighbours in an undirected graph of the slots 0 … M − 1."""
    size = graph.number_of_nodes()
    edges = np.array([edge for edge in graph.edges() if edge[0] != edge[1]], dtype=np.int64)
    both = np.concatenate([edges.reshape(-1, 2), edges.reshape(-1, 2)[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    ends = np.cumsum(np.bincount(both[:, 0], minlength=size))
    return Eligible(both[:, 1], np.append(0, ends[:-1]), ends, np.full(size, -1))
