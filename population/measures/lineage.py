"""Who descends from whom: a run's lineage, traced from its births.

Export to other programs is `phylogeny`'s affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mgptn.population.records.agents import AgentId, Genome
from mgptn.population.records.generation import Generation


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


class _Lives(Mapping[AgentId, Life]):
    """Lives as columns, some forty bytes each: of a run of 10⁴ agents there are as many more with
    every generation.

    Ids ascend, so that a life is found by its own.
    """

    def __init__(self) -> None:
        self._ids, self._parents = array("q"), array("q")
        self._born, self._died = array("q"), array("q")
        self._genomes = bytearray()
        self._weights: dict[int, str] = {}

    def __getitem__(self, agent: AgentId) -> Life:
        row = bisect_left(self._ids, agent)
        if row == len(self._ids) or self._ids[row] != agent:
            raise KeyError(agent)
        parent, died = self._parents[row], self._died[row]
        genome = bytes(self._genomes[row * _DIGEST : (row + 1) * _DIGEST])
        return Life(
            agent,
            None if parent == _NOBODY else AgentId(parent),
            self._born[row],
            None if died == _ALIVE else died,
            genome.hex() if any(genome) else None,
            self._weights.get(row),
        )

    def __iter__(self) -> Iterator[AgentId]:
        return map(AgentId, self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def last(self) -> int:
        """The greatest id; −1 where there is none."""
        return self._ids[-1] if self._ids else -1

    def begin(self, agent: AgentId, parent: AgentId | None, born: int) -> int:
        """A life's row, of an id that is greater than those before."""
        self._ids.append(agent)
        self._parents.append(_NOBODY if parent is None else parent)
        self._born.append(born)
        self._died.append(_ALIVE)
        self._genomes.extend(bytes(_DIGEST))
        return len(self._ids) - 1

    def end(self, row: int, died: int) -> None:
        """The generation whose selection ended it."""
        self._died[row] = died

    def tell(self, row: int, genome: Genome) -> None:
        """What it was born with."""
        self._genomes[row * _DIGEST : (row + 1) * _DIGEST] = bytes.fromhex(genome.digest())
        if genome.weights is not None:
            self._weights[row] = genome.weights.told()


_NOBODY, _ALIVE, _DIGEST = -1, -2, 16


class Tracer:
    """Traces a lineage from generations that come one by one, the first with index 0.

    It keeps a few numbers of each agent, and no agent.
    """

    def __init__(self) -> None:
        self._lives = _Lives()
        self._living: dict[AgentId, int] = {}
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
        count, lives, living = self._count, self._lives, self._living
        if generation.index != count:
            raise ValueError(f"generations: expected index {count}, got {generation.index}")
        if count == 0:
            for agent in generation.agents:
                if agent.id <= lives.last:
                    raise ValueError(
                        f"generations[0].agents: expected ids that ascend, got {agent}"
                    )
                living[agent.id] = lives.begin(agent.id, None, -1)
                lives.tell(living[agent.id], agent.genome)
        newborn: dict[AgentId, int] = {}
        for birth in generation.births:
            if birth.parent not in living or birth.child <= lives.last:
                raise ValueError(f"generations[{count}].births: expected new children, got {birth}")
            living[birth.child] = newborn[birth.child] = lives.begin(
                birth.child, birth.parent, count
            )
        for dead in generation.deaths:
            if dead in living:
                lives.end(living.pop(dead), count)
        self._survivors = tuple(agent.id for agent in generation.survivors)
        if set(self._survivors) != living.keys():
            raise ValueError(
                f"generations[{count}].survivors: expected those born and not dead, got "
                f"{list(self._survivors)}"
            )
        for agent in generation.survivors:
            if agent.id in newborn:
                lives.tell(newborn[agent.id], agent.genome)
        self._count += 1

    def lineage(self) -> Lineage | None:
        """The lineage so far; None before the first generation."""
        return Lineage(self._lives, self._survivors, self._count) if self._count else None


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
    for agent in reversed(list(lineage.lives)):
        life = lineage.lives[agent]
        if life.parent is not None and reached[agent]:
            reached[life.parent] += reached[agent]
    return reached
