"""Who descends from whom: a run's lineage, traced from its births.

Export to other programs is `phylogeny`'s affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
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

    lives: dict[AgentId, Life]
    living: tuple[AgentId, ...]
    generations: int


class Tracer:
    """Traces a lineage from generations that come one by one, the first with index 0."""

    def __init__(self) -> None:
        self._agents: dict[AgentId, tuple[AgentId | None, int]] = {}
        self._died: dict[AgentId, int] = {}
        self._genomes: dict[AgentId, Genome] = {}
        self._survivors: tuple[AgentId, ...] = ()
        self._living: set[AgentId] = set()
        self._count = 0

    def add(self, generation: Generation) -> None:
        """Take the next generation in.

        Raises
        ------
        ValueError
            If one is missing or out of order, or its births and deaths do not lead from its agents
            to its survivors.
        """
        count, agents = self._count, self._agents
        if generation.index != count:
            raise ValueError(f"generations: expected index {count}, got {generation.index}")
        if count == 0:
            agents.update((agent.id, (None, -1)) for agent in generation.agents)
            self._genomes = {agent.id: agent.genome for agent in generation.agents}
            self._living = set(agents)
        for birth in generation.births:
            if birth.parent not in agents or birth.child in agents:
                raise ValueError(f"generations[{count}].births: expected new children, got {birth}")
            agents[birth.child] = (birth.parent, count)
            self._living.add(birth.child)
        self._died.update((agent, count) for agent in generation.deaths)
        self._living.difference_update(generation.deaths)
        self._survivors = tuple(agent.id for agent in generation.survivors)
        if set(self._survivors) != self._living:
            raise ValueError(
                f"generations[{count}].survivors: expected those born and not dead, got "
                f"{list(self._survivors)}"
            )
        for agent in generation.survivors:
            if agent.id not in self._genomes:
                self._genomes[agent.id] = agent.genome
        self._count += 1

    def lineage(self) -> Lineage | None:
        """The lineage so far; None before the first generation."""
        if not self._count:
            return None
        lives = {agent: self._life(agent) for agent in self._agents}
        return Lineage(lives, self._survivors, self._count)

    def _life(self, agent: AgentId) -> Life:
        (parent, born), genome = self._agents[agent], self._genomes.get(agent)
        digest = None if genome is None else genome.digest()
        weights = None if genome is None or genome.weights is None else genome.weights.told()
        return Life(agent, parent, born, self._died.get(agent), digest, weights)


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
    for agent, life in reversed(lineage.lives.items()):
        if life.parent is not None and reached[agent]:
            reached[life.parent] += reached[agent]
    return reached
