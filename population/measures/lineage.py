"""Who descends from whom: a run's lineage, traced from its births.

Export to other programs is `phylogeny`'s affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mgptn.population.records.agents import Agent, AgentId
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
    """

    id: AgentId
    parent: AgentId | None
    born: int
    died: int | None
    genome: str | None


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


def trace_lineage(generations: Iterable[Generation]) -> Lineage:
    """The lineage of a run, from all its generations in order, the first with index 0.

    Raises
    ------
    ValueError
        If there is no generation, one is missing or out of order, or its births and deaths do
        not lead from its agents to its survivors.
    """
    agents: dict[AgentId, tuple[AgentId | None, int]] = {}
    died: dict[AgentId, int] = {}
    genomes: dict[AgentId, str] = {}
    survivors: tuple[Agent, ...] = ()
    living: set[AgentId] = set()
    count = 0
    for generation in generations:
        if generation.index != count:
            raise ValueError(f"generations: expected index {count}, got {generation.index}")
        if count == 0:
            agents = {agent.id: (None, -1) for agent in generation.agents}
            genomes = {agent.id: agent.genome.digest() for agent in generation.agents}
            living = set(agents)
        for birth in generation.births:
            if birth.parent not in agents or birth.child in agents:
                raise ValueError(f"generations[{count}].births: expected new children, got {birth}")
            agents[birth.child] = (birth.parent, count)
            living.add(birth.child)
        died.update((agent, count) for agent in generation.deaths)
        living.difference_update(generation.deaths)
        survivors = generation.survivors
        if {agent.id for agent in survivors} != living:
            raise ValueError(
                f"generations[{count}].survivors: expected those born and not dead, got "
                f"{[agent.id for agent in survivors]}"
            )
        genomes.update((a.id, a.genome.digest()) for a in survivors if a.id not in genomes)
        count += 1
    if count == 0:
        raise ValueError("generations: expected at least one, got none")
    lives = {
        agent: Life(agent, parent, born, died.get(agent), genomes.get(agent))
        for agent, (parent, born) in agents.items()
    }
    return Lineage(lives, tuple(agent.id for agent in survivors), count)


def descendants(lineage: Lineage, agents: Collection[AgentId]) -> Counter[AgentId]:
    """For every agent, how many of some distinct agents it is or is an ancestor of."""
    reached = Counter(set(agents))
    for agent, life in reversed(lineage.lives.items()):
        if life.parent is not None and reached[agent]:
            reached[life.parent] += reached[agent]
    return reached
