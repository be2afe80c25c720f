"""An agent as it is looked at: its genome, its parent beside it, and how it did."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from mgptn.experiments.views.printable import visible
from mgptn.experiments.watching.answers import excerpt
from mgptn.experiments.watching.watched import plain
from mgptn.population.records.agents import Agent, AgentId, Birth, Example, Genome
from mgptn.population.records.generation import Generation
from mgptn.population.records.population import Population

MOST_EXAMPLES = 64
"""Examples of a context that are sent."""


def agent_told(generation: Generation, before: Generation | None, agent: AgentId) -> dict[str, Any]:
    """An agent that answered in a generation, and what it has otherwise than its parent.

    Parameters
    ----------
    before
        The generation before, in which its parent answered; None for the first.

    Raises
    ------
    LookupError
        If it did not answer in this generation.
    """
    slot = slot_of(generation.agents, agent)
    if slot is None:
        raise LookupError(
            f"agent: expected one of the {len(generation.agents)} that answered in generation "
            f"{generation.index}, got {agent}"
        )
    own, outcomes = generation.agents[slot], generation.outcomes
    problems = outcomes.matches.problems
    answers = slice(slot * problems, (slot + 1) * problems)
    parent, birth = _parent(own, before)
    children = [birth.child for birth in generation.births if birth.parent == agent]
    return {
        "agent": int(agent),
        "generation": generation.index,
        "slot": slot,
        "parent": None if own.parent is None else int(own.parent),
        "founder": int(own.founder),
        "born": own.born,
        "survives": slot_of(generation.survivors, agent) is not None,
        "children": [int(child) for child in children[:MOST_EXAMPLES]],
        "offspring": len(children),
        "fitness": plain(float(generation.fitness[slot])),
        "rate": plain(float(generation.rates[slot])),
        "right": int(np.sum(outcomes.verdicts[answers])),
        "answers": problems,
        "accepted": int(np.sum((generation.accepted // problems) == slot)),
        "genome": genome_told(own.genome),
        "graded_by": _graded_by(generation, slot),
        "beside": None if parent is None else genome_told(parent.genome),
        "parent_told": None if parent is None else int(parent.id),
        "changes": [] if parent is None else changes(own.genome, parent.genome),
        **({} if parent is None else _examples(own.genome, parent.genome)),
        "mutations": [] if birth is None else list(birth.mutations),
        "other_parent": None
        if birth is None or birth.other_parent is None
        else int(birth.other_parent),
    }


def _graded_by(generation: Generation, slot: int) -> list[dict[str, Any]]:
    """Who graded an agent's answers: how often, and the mean of the grades that could be read."""
    outcomes = generation.outcomes
    problems = outcomes.matches.problems
    answers = slice(slot * problems, (slot + 1) * problems)
    seats = outcomes.grades.shape[1]
    graders = outcomes.matches.graders[answers, :seats].ravel()
    values = np.append(outcomes.values, np.nan)[outcomes.grades[answers]].ravel()
    told = []
    for grader in np.unique(graders).tolist():
        given = values[graders == grader]
        read = given[~np.isnan(given)]
        told.append(
            {
                "grader": int(generation.agents.ids[grader]),
                "grades": len(given),
                "mean": float(read.mean()) if len(read) else None,
            }
        )
    return told


def _examples(own: Genome, parents: Genome) -> dict[str, list[dict[str, Any]]]:
    """Examples that a context has and its parent's has not, and the other way round."""
    mine, theirs = Counter(own.context), Counter(parents.context)
    return {
        name: [_example(one) for one in list(more.elements())[:MOST_EXAMPLES]]
        for name, more in (("gained", mine - theirs), ("lost", theirs - mine))
    }


def _example(example: Example) -> dict[str, Any]:
    return {
        "query": excerpt(example.query),
        "answer": excerpt(example.answer),
        "level": example.level,
    }


def genome_told(genome: Genome) -> dict[str, Any]:
    """What an agent inherits, with the newest examples of its context."""
    return {
        "model": genome.model,
        "sampling_temperature": genome.sampling_temperature,
        "persona": None if genome.persona is None else visible(genome.persona),
        "role": genome.role,
        "weights": None if genome.weights is None else genome.weights.told(),
        "digest": genome.digest(),
        "examples": len(genome.context),
        "context": [_example(one) for one in genome.context[-MOST_EXAMPLES:]],
    }


def changes(own: Genome, parents: Genome) -> list[str]:
    """What a genome has otherwise than its parent's, a sentence each; nothing where it is equal."""
    found = []
    for name in ("model", "persona", "role"):
        mine, theirs = getattr(own, name), getattr(parents, name)
        if mine != theirs:
            found.append(f"{name}: {visible(str(theirs))} → {visible(str(mine))}")
    if own.sampling_temperature != parents.sampling_temperature:
        found.append(
            f"sampling temperature: {parents.sampling_temperature:.4g} → "
            f"{own.sampling_temperature:.4g}"
        )
    mine, theirs = _told(own), _told(parents)
    if mine != theirs:
        found.append(f"weights: {theirs} → {mine}")
    gained = Counter(own.context) - Counter(parents.context)
    lost = Counter(parents.context) - Counter(own.context)
    if gained or lost:
        found.append(
            f"context: {gained.total()} examples more, {lost.total()} less "
            f"({len(parents.context)} → {len(own.context)})"
        )
    elif own.context != parents.context:
        found.append("context: the same examples in another order")
    return found


def _told(genome: Genome) -> str:
    return "the model's own" if genome.weights is None else genome.weights.told()


def _parent(own: Agent, before: Generation | None) -> tuple[Agent | None, Birth | None]:
    """Whom an agent is compared with: its parent as that answered, or itself a generation ago."""
    if before is None:
        return None, None
    if own.born != before.index:
        return _agent(before, own.id), None
    births = {birth.child: birth for birth in before.births}
    birth, parent = births.get(own.id), own.parent
    while parent in births:  # a parent of the same round never answered: its own did
        parent = births[parent].parent
    return (None if parent is None else _agent(before, parent)), birth


def slot_of(population: Population, agent: AgentId) -> int | None:
    """An agent's slot; None where it is not in the population."""
    found = np.flatnonzero(population.ids == agent)
    return int(found[0]) if len(found) else None


def _agent(generation: Generation, agent: AgentId) -> Agent | None:
    """One of those that answered, if it did."""
    slot = slot_of(generation.agents, agent)
    return None if slot is None else generation.agents[slot]
