"""Who descends from whom: a run's lineage, traced from its births, and what is read off it.

Export to other programs is `phylogeny`'s affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import AgentId
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


class MullerTable(NamedTuple):
    """How common each label was, generation by generation.

    Attributes
    ----------
    labels
        [F] agents after whom the labels are named, in order of birth.
    shares
        float64 [G + 1 − since, F], time × label, rows sum to one.
    """

    labels: tuple[AgentId, ...]
    shares: NDArray[np.float64]


class Tracer:
    """Traces a lineage from generations that come one by one, the first with index 0."""

    def __init__(self) -> None:
        self._agents: dict[AgentId, tuple[AgentId | None, int]] = {}
        self._died: dict[AgentId, int] = {}
        self._genomes: dict[AgentId, str] = {}
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
            self._genomes = {agent.id: agent.genome.digest() for agent in generation.agents}
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
                self._genomes[agent.id] = agent.genome.digest()
        self._count += 1

    def lineage(self) -> Lineage | None:
        """The lineage so far; None before the first generation."""
        if not self._count:
            return None
        lives = {
            agent: Life(agent, parent, born, self._died.get(agent), self._genomes.get(agent))
            for agent, (parent, born) in self._agents.items()
        }
        return Lineage(lives, self._survivors, self._count)


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


def ancestors(lineage: Lineage, agent: AgentId) -> tuple[AgentId, ...]:
    """An agent's ancestors: its parent first, its founder last; none for a founder.

    Raises ValueError if the agent is not of the lineage.
    """
    line = []
    parent = _life(lineage, agent).parent
    while parent is not None:
        line.append(parent)
        parent = lineage.lives[parent].parent
    return tuple(line)


def common_ancestor(lineage: Lineage, agents: Collection[AgentId] | None = None) -> AgentId | None:
    """The most recent agent from which all of some agents descend, one of them if need be.

    Parameters
    ----------
    agents
        At least one, of the lineage; the living if None.

    Returns
    -------
    The agent; None where they descend from several founders.

    Raises ValueError if there are no agents, or one is not of the lineage.
    """
    members = _members(lineage, agents)
    reached = descendants(lineage, members)
    for agent in reversed(lineage.lives):
        if reached[agent] == len(members):
            return agent
    return None


def coalescence_time(lineage: Lineage, agents: Collection[AgentId] | None = None) -> int | None:
    """Generations since the ancestors of some living agents were last a single agent.

    In neutral drift two agents' time is N generations in the mean in the Wright–Fisher process.

    Parameters
    ----------
    agents
        At least one, all living; all the living if None.

    Returns
    -------
    Generations before time G: 0 for one agent, 1 for siblings of the last generation; None where
    they descend from several founders.

    Raises
    ------
    ValueError
        If there are no agents, or one is not living.

    Source
    ------
    Kingman 1982, "The coalescent".
    """
    members = _members(lineage, agents)
    dead = sorted(members - set(lineage.living))
    if dead:
        raise ValueError(f"agents: expected living ones, got {dead[0]}")
    last = common_ancestor(lineage, members)
    if last is None:
        return None
    if members == {last}:
        return 0
    reached = descendants(lineage, members)
    # At the time of its birth's generation a child's ancestor is its parent still.
    parted = min(
        life.born for life in lineage.lives.values() if life.parent == last and reached[life.id]
    )
    return lineage.generations - parted


def ancestral_lineages(lineage: Lineage) -> NDArray[np.int64]:
    """How many agents of every time have living descendants (or live still).

    Returns
    -------
    int64 [G + 1], M at time G, and never more at an earlier time.
    """
    reached = descendants(lineage, lineage.living)
    until = {agent: lineage.generations for agent in lineage.living}
    for life in lineage.lives.values():
        if life.parent is not None and reached[life.id]:
            until[life.parent] = max(life.born, until.get(life.parent, -1))
    change = np.zeros(lineage.generations + 2, dtype=np.int64)
    for agent, end in until.items():
        change[lineage.lives[agent].born + 1] += 1
        change[end + 1] -= 1
    return np.cumsum(change[:-1])


def neutral_labels(lineage: Lineage, since: int = 0) -> dict[AgentId, AgentId]:
    """Labels that cost nothing and are only inherited: the agent of a time that each descends from.

    Parameters
    ----------
    since
        Time at which every agent living was given a label of its own; 0 labels by founder.

    Returns
    -------
    For every agent that lived at that time or was born since, the agent its label is named after.

    Raises
    ------
    ValueError
        If the time is not in 0 … G.
    """
    if not 0 <= since <= lineage.generations:
        raise ValueError(f"since: expected 0 to {lineage.generations}, got {since}")
    labels: dict[AgentId, AgentId] = {}
    for life in lineage.lives.values():
        if life.parent is not None and life.born >= since:
            labels[life.id] = labels[life.parent]
        elif life.died is None or life.died >= since:
            labels[life.id] = life.id
    return labels


def muller_table(lineage: Lineage, since: int = 0) -> MullerTable:
    """Share of the living that carries each neutral label, at times since … G.

    Errors as of `neutral_labels`. Muller 1932 is the source of the diagram drawn from it.
    """
    carried = neutral_labels(lineage, since)
    labels = tuple(agent for agent, label in carried.items() if agent == label)
    column = {label: i for i, label in enumerate(labels)}
    change = np.zeros((lineage.generations + 2, len(labels)), dtype=np.int64)
    for agent, label in carried.items():
        life = lineage.lives[agent]
        end = lineage.generations if life.died is None else life.died
        change[max(life.born + 1, since), column[label]] += 1
        change[end + 1, column[label]] -= 1
    counts = np.cumsum(change, axis=0)[since:-1]
    return MullerTable(labels, counts / len(lineage.living))


def fixation_time(lineage: Lineage, founder: AgentId) -> int | None:
    """Generations after which all the living descend from a founder; None if they never do.

    Raises ValueError if the agent is no founder of the lineage.
    """
    table = muller_table(lineage)
    if founder not in table.labels:
        raise ValueError(f"founder: expected one of {list(table.labels)}, got {founder}")
    fixed = np.flatnonzero(table.shares[:, table.labels.index(founder)] == 1.0)
    return int(fixed[0]) if fixed.size else None


def descendants(lineage: Lineage, agents: Collection[AgentId]) -> Counter[AgentId]:
    """For every agent, how many of some distinct agents it is or is an ancestor of."""
    reached = Counter(set(agents))
    for agent, life in reversed(lineage.lives.items()):
        if life.parent is not None and reached[agent]:
            reached[life.parent] += reached[agent]
    return reached


def _members(lineage: Lineage, agents: Collection[AgentId] | None) -> set[AgentId]:
    members = set(lineage.living if agents is None else agents)
    if not members:
        raise ValueError("agents: expected at least one, got none")
    for agent in members:
        _life(lineage, agent)
    return members


def _life(lineage: Lineage, agent: AgentId) -> Life:
    if agent not in lineage.lives:
        raise ValueError(f"agent: expected one of the lineage, got {agent}")
    return lineage.lives[agent]
