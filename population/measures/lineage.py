"""Who descends from whom: a run's lineage, traced from its births.

Export to other programs is `phylogeny`'s affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, ValuesView
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import AgentId
from mgptn.population.records.arrays import Integers
from mgptn.population.records.generation import Generation
from mgptn.population.records.population import NOBODY, Population


@dataclass(frozen=True, slots=True)
class Life:
    """One agent from birth to death.

    Attributes
    ----------
    parent
        None for a founder.
    born, died
        The generations whose selection made and ended it: it answers in generations
        born + 1 … died. A founder is born at −1; `died` is None while it lives. An agent with
        born = died was replaced in the same round of events and never answered.
    genome
        Digest of its genome at birth, before it accepted anything; None for an agent that never
        answered, whose genome is on no record.
    weights
        What had been done to its model's weights at birth, as of `Weights.told`; None for nothing.
    """

    id: AgentId
    parent: AgentId | None
    born: int
    died: int | None
    genome: str | None
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Every agent that ever lived. Time t is the start of generation t, 0 … G.

    Attributes
    ----------
    lives
        By id, parents before children: founders in slot order, then children by birth.
    living
        The M agents at time G, in slot order.
    generations
        G, generations traced.
    """

    lives: Mapping[AgentId, Life]
    living: tuple[AgentId, ...]
    generations: int

    def descent(self) -> tuple[list[int], list[int], list[int]]:
        """Of each life its id, its parent, `NOBODY` of a founder, and its birth."""
        if isinstance(self.lives, _Lives):
            rows = self.lives.rows
            return rows["id"].tolist(), rows["parent"].tolist(), rows["born"].tolist()
        lives = self.lives.values()
        parents = (NOBODY if life.parent is None else int(life.parent) for life in lives)
        return [life.id for life in lives], list(parents), [life.born for life in lives]


_ALIVE, _FIRST = -2, 1024
_LIFE = np.dtype(
    [("id", "<i8"), ("parent", "<i8"), ("born", "<i4"), ("died", "<i4"), ("genome", "u1", 16)]
)
"""What is kept of one life: forty bytes."""


class _Lives(Mapping[AgentId, Life]):
    """Lives as rows of numbers: of 10⁴ agents there are as many more with every generation.

    Ids ascend, so that a life is found by its own.
    """

    def __init__(self) -> None:
        self._room = np.empty(_FIRST, dtype=_LIFE)
        self._count = 0
        self._weights: dict[int, str] = {}

    @property
    def rows(self) -> NDArray[np.void]:
        """All of them, in order, to be read and written."""
        return self._room[: self._count]

    def begin(self, ids: Integers, parents: Integers | int, born: int) -> Integers:
        """Rows of new lives, of ids that ascend and are greater than those before."""
        first, self._count = self._count, self._count + len(ids)
        if self._count > len(self._room):
            room = np.empty(max(self._count, 2 * len(self._room)), dtype=_LIFE)
            room[:first] = self._room[:first]
            self._room = room
        new = self._room[first : self._count]
        new["id"], new["parent"], new["born"], new["died"], new["genome"] = (
            ids, parents, born, _ALIVE, 0,
        )  # fmt: skip
        return np.arange(first, self._count)

    def find(self, ids: Integers) -> Integers:
        """The row of each; −1 of one that never lived."""
        known = self.rows["id"]
        places = np.minimum(np.searchsorted(known, ids), max(len(known) - 1, 0))
        if not len(known):
            return np.full(len(ids), -1)
        return np.where(known[places] == ids, places, -1)

    def tell(self, rows: Integers, agents: Population, slots: Integers) -> None:
        """What the agents in some slots, whose lives are in some rows, were born with."""
        self.rows["genome"][rows] = agents.digests()[slots]
        weights, places = agents.columns.weights, agents.places[slots]
        for row, place in zip(rows.tolist(), places.tolist() if weights else (), strict=False):
            own = weights[place]
            if own is not None:
                self._weights[row] = own.told()

    def __getitem__(self, agent: AgentId) -> Life:
        row = int(self.find(np.array([agent]))[0])
        if row < 0:
            raise KeyError(agent)
        return next(self._lives(row, row + 1))

    def __iter__(self) -> Iterator[AgentId]:
        return map(AgentId, self.rows["id"].tolist())

    def __len__(self) -> int:
        return self._count

    def values(self) -> ValuesView[Life]:
        """As of any mapping; none of them is looked for."""
        return _Values(self)

    def _lives(self, first: int, last: int) -> Iterator[Life]:
        rows = self.rows[first:last]
        columns = (rows[name].tolist() for name in ("id", "parent", "born", "died"))
        genomes = map(bytes, rows["genome"])
        for row, (agent, parent, born, died, genome) in enumerate(
            zip(*columns, genomes, strict=True), start=first
        ):
            yield Life(
                AgentId(agent),
                None if parent == NOBODY else AgentId(parent),
                born,
                None if died == _ALIVE else died,
                genome.hex() if any(genome) else None,
                self._weights.get(row),
            )


class _Values(ValuesView[Life]):
    """Lives in order."""

    _mapping: _Lives

    def __iter__(self) -> Iterator[Life]:
        for first in range(0, len(self._mapping), _FIRST):
            yield from self._mapping._lives(first, first + _FIRST)


class Tracer:
    """Traces a lineage from generations that come one by one, the first with index 0.

    It keeps a few numbers of each agent, and no agent.
    """

    def __init__(self) -> None:
        self._lives = _Lives()
        self._living: Integers = np.zeros(0, dtype=np.int64)  # rows
        self._survivors: tuple[AgentId, ...] = ()
        self._count = 0

    def add(self, generation: Generation) -> None:
        """Take the next generation in.

        Raises
        ------
        ValueError
            If one is missing or out of order, or its births and deaths do not lead from its agents
            to its survivors.
        """
        count, lives = self._count, self._lives
        if generation.index != count:
            raise ValueError(f"generations: expected index {count}, got {generation.index}")
        if count == 0:
            self._found(generation.agents)
        first = len(lives)
        self._check_births(generation)
        newborn = lives.begin(generation.births.children, generation.births.parents, count)
        dying = lives.find(np.array(generation.deaths, dtype=np.int64))
        living = np.append(self._living, newborn)
        dead = np.isin(living, dying)
        lives.rows["died"][living[dead]] = count
        self._living = living[~dead]
        survivors = generation.survivors
        rows = lives.find(survivors.ids)
        if not np.array_equal(np.unique(rows), np.sort(self._living)):
            raise ValueError(
                f"generations[{count}].survivors: expected those born and not dead, got "
                f"{survivors.ids.tolist()}"
            )
        self._survivors = tuple(map(AgentId, survivors.ids.tolist()))
        slots = np.flatnonzero(rows >= first)
        lives.tell(rows[slots], survivors, slots)
        self._count += 1

    def lineage(self) -> Lineage | None:
        """The lineage so far; None before the first generation."""
        return Lineage(self._lives, self._survivors, self._count) if self._count else None

    def _found(self, founders: Population) -> None:
        """The first lives."""
        wrong = np.flatnonzero(np.diff(founders.ids, prepend=-1) <= 0)
        if len(wrong):
            raise ValueError(
                f"generations[0].agents: expected ids that ascend, got {founders[int(wrong[0])]}"
            )
        self._living = self._lives.begin(founders.ids, NOBODY, -1)
        self._lives.tell(self._living, founders, np.arange(len(founders)))

    def _check_births(self, generation: Generation) -> None:
        """Refuse children that are none, or of parents who do not live when they are born."""
        births, known = generation.births, self._lives.rows["id"]
        last = int(known[-1]) if len(known) else -1
        ascending = np.diff(births.children, prepend=last) > 0
        order = np.argsort(births.children, kind="stable")
        place = np.searchsorted(births.children, births.parents, sorter=order)
        place = order[np.minimum(place, len(order) - 1)] if len(order) else place
        of_a_child = births.children[place] == births.parents
        earlier = of_a_child & (place < np.arange(len(births)))
        wrong = np.flatnonzero(
            ~(ascending & (earlier | np.isin(self._lives.find(births.parents), self._living)))
        )
        if len(wrong):
            raise ValueError(
                f"generations[{self._count}].births: expected new children, got "
                f"{births[int(wrong[0])]}"
            )


def trace_lineage(generations: Iterable[Generation]) -> Lineage:
    """The lineage of a run, from all its generations in order.

    Raises
    ------
    ValueError
        If there is no generation; and as of `Tracer.add`.
    """
    tracer = Tracer()
    for generation in generations:
        tracer.add(generation)
    lineage = tracer.lineage()
    if lineage is None:
        raise ValueError("generations: expected at least one, got none")
    return lineage


def descendants(lineage: Lineage, agents: Collection[AgentId]) -> Counter[AgentId]:
    """For every agent, how many of some distinct agents it is or is an ancestor of."""
    reached = Counter(set(agents))
    for life in reversed(list(lineage.lives.values())):
        if life.parent is not None and reached[life.id]:
            reached[life.parent] += reached[life.id]
    return reached
