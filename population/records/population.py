"""A population as columns: who lives, whose child it is, and which genome it has.

Dimensions: M agents, G genomes.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import Agent, AgentId, Genome
from mgptn.population.records.arrays import Integers
from mgptn.population.records.genomes import Genomes, as_rows

NOBODY = -1
"""In place of a founder's parent."""

Numbers = NDArray[np.int64]


class Population(Sequence[Agent]):
    """Agents in slot order. They are objects only for who asks for them one by one.

    Attributes
    ----------
    ids, parents, founders, born
        int64 [M], as of `Agent`; `NOBODY` where there is no parent.
    genomes
        Genomes [G], of which several may be equal.
    places
        int64 [M], which of them each agent has.
    """

    __slots__ = (
        "_agents", "_columns", "_digests", "born", "founders", "genomes", "ids", "parents", "places"
    )  # fmt: skip
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        ids: Integers,
        parents: Integers,
        founders: Integers,
        born: Integers,
        genomes: Sequence[Genome],
        places: Integers,
    ) -> None:
        self.ids: Numbers = ids.astype(np.int64, copy=False)
        self.parents: Numbers = parents.astype(np.int64, copy=False)
        self.founders: Numbers = founders.astype(np.int64, copy=False)
        self.born: Numbers = born.astype(np.int64, copy=False)
        self.genomes = genomes
        self.places: Numbers = places.astype(np.int64, copy=False)
        self._agents: tuple[Agent, ...] | None = None
        self._columns = genomes if isinstance(genomes, Genomes) else None
        self._digests: NDArray[np.uint8] | None = None

    @classmethod
    def of(cls, agents: Sequence[Agent]) -> Population:
        """Agents as columns."""
        if isinstance(agents, Population):
            return agents
        known = {id(agent.genome): agent.genome for agent in agents}
        place = dict(zip(known, range(len(known)), strict=True))
        found = cls(
            np.array([agent.id for agent in agents], dtype=np.int64),
            np.array([_or_nobody(agent.parent) for agent in agents], dtype=np.int64),
            np.array([agent.founder for agent in agents], dtype=np.int64),
            np.array([agent.born for agent in agents], dtype=np.int64),
            tuple(known.values()),
            np.array([place[id(agent.genome)] for agent in agents], dtype=np.int64),
        )
        found._agents = tuple(agents)
        return found

    @property
    def columns(self) -> Genomes:
        """The genomes as columns."""
        if self._columns is None:
            self._columns = Genomes.of(self.genomes)
        return self._columns

    def genome(self, slot: int) -> Genome:
        """Of the agent in a slot."""
        return self.genomes[int(self.places[slot])]

    def each_genome(self) -> list[Genome]:
        """Of each agent."""
        genomes = list(self.genomes)
        return [genomes[place] for place in self.places.tolist()]

    def models(self) -> list[str]:
        """Name of each agent's model."""
        return _of_each(self.columns.models, self.columns.model[self.places])

    def roles(self) -> list[str]:
        """Role of each agent."""
        return _of_each(self.columns.roles, self.columns.role[self.places])

    def digests(self) -> NDArray[np.uint8]:
        """Digest of each agent's genome, uint8 [M, 16]."""
        if self._digests is None:
            if isinstance(self.genomes, Genomes):
                each = b"".join(self.genomes.digests())
            else:
                each = bytes.fromhex("".join(one.digest() for one in self.genomes))
            self._digests = as_rows(each)[self.places]
        return self._digests

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._objects())

    @overload
    def __getitem__(self, index: int) -> Agent: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Agent, ...]: ...
    def __getitem__(self, index: int | slice) -> Agent | tuple[Agent, ...]:
        return self._objects()[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Population):
            return NotImplemented
        return (
            np.array_equal(self.ids, other.ids)
            and np.array_equal(self.parents, other.parents)
            and np.array_equal(self.founders, other.founders)
            and np.array_equal(self.born, other.born)
            and self.columns.equal(self.places, other.columns, other.places)
        )

    def __repr__(self) -> str:
        return repr(self._objects())

    def _objects(self) -> tuple[Agent, ...]:
        if self._agents is None:
            self._agents = tuple(
                Agent(
                    AgentId(i), genome, None if parent == NOBODY else AgentId(parent),
                    AgentId(founder), born,
                )
                for i, genome, parent, founder, born in zip(
                    self.ids.tolist(), self.each_genome(), self.parents.tolist(),
                    self.founders.tolist(), self.born.tolist(), strict=True,
                )
            )  # fmt: skip
        return self._agents


def population_digest(agents: Sequence[Agent], generation: int) -> str:
    """Hexadecimal hash of who is alive after a generation: ids, descent and genomes, in order."""
    living = Population.of(agents)
    rows = np.empty((len(living), 4), dtype="<i8")
    rows.T[:] = living.ids, living.parents, living.founders, living.born
    told = np.hstack([rows.view(np.uint8), living.digests()])
    content = hashlib.blake2b(struct.pack("<q", generation), digest_size=32, person=b"mgptn.popul")
    content.update(told.tobytes())
    return content.hexdigest()


def _or_nobody(parent: int | None) -> int:
    return NOBODY if parent is None else parent


def _of_each(names: Sequence[str], places: Integers) -> list[str]:
    return [names[place] for place in places.tolist()]
