"""One round of the tournament, complete: what was seen and what was decided.

Dimensions: M agents, Q problems, A = M·Q answers, author-major.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mgptn.population.display.html import folded, heading, table
from mgptn.population.records.agents import AgentId
from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.columns import Columns
from mgptn.population.records.offspring import Offspring
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import Population

ANSWERS_SHOWN = 12
"""Answers of a generation that a notebook shows."""

Value = TypeVar("Value", bound="np.generic[Any]")


@dataclass(frozen=True, slots=True, eq=False)
class Generation(Columns):
    """One round of the tournament.

    Agents and births may be given as any sequences of them, and are held as columns.

    Attributes
    ----------
    index
        0 for the first.
    agents
        The M agents that answered, in slot order.
    outcomes
        Of A matches.
    scores
        float64 [A], what the selector made of each outcome, in [0, 1]; NaN where it could say
        nothing.
    accepted
        Integers, ascending indices of the answers that entered their author's context.
    fitness
        float64 [M], by `TournamentSettings.fitness`: the mean of the scores of an agent's answers,
        NaN where none of them has one; or its expected score against another agent.
    rates
        float64 [M], replication rates, mean 1.
    births, deaths
        What selection decided at the end of the generation.
    survivors
        The M agents that start the next generation, in slot order.
    digest
        Hexadecimal hash of `survivors` and the generation's index.
    size
        Of the task, where it grows; else 0.
    learned
        Of each agent that answered, in slot order: hash of the numbers that its weights ended
        with after learning, None where it did not learn. Empty where nobody did.
    """

    index: int
    agents: Population
    outcomes: Outcomes
    scores: Floats
    accepted: Integers
    fitness: Floats
    rates: Floats
    births: Offspring
    deaths: tuple[AgentId, ...]
    survivors: Population
    digest: str
    size: int = 0
    learned: tuple[str | None, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "agents", Population.of(self.agents))
        object.__setattr__(self, "survivors", Population.of(self.survivors))
        object.__setattr__(self, "births", Offspring.of(self.births))

    def _repr_html_(self) -> str:
        """For notebooks: what was seen and decided, and the first answers."""
        outcomes, accepted = self.outcomes, set(self.accepted.tolist())
        known, fitness = outcomes.known, self.fitness[~np.isnan(self.fitness)]
        wrong = float(outcomes.wrong[known].mean()) if known.any() else float("nan")
        facts = {
            "agents": len(self.agents),
            "answers": len(outcomes),
            "gold error": wrong,
            "accepted": len(accepted),
            "fitness, mean and best": f"{fitness.mean():.3f}, {fitness.max():.3f}"
            if fitness.size
            else "unknown",
            "births, deaths": f"{len(self.births)}, {len(self.deaths)}",
            "lineages": len(np.unique(self.survivors.founders)),
            "population": f"{self.digest[:16]}…",
        }
        shown = range(min(len(outcomes), ANSWERS_SHOWN))
        answers = (
            (
                int(outcomes.matches.authors[i // outcomes.matches.problems]),
                outcomes.queries[i % outcomes.matches.problems],
                outcomes.texts[outcomes.answers[i]],
                "not known" if not known[i] else "wrong" if outcomes.wrong[i] else "right",
                float(self.scores[i]),
                "yes" if i in accepted else "no",
            )
            for i in shown
        )
        names = ("agent", "question", "answer", "verdict", "score", "accepted")
        return (
            heading(f"Generation {self.index}")
            + table(tuple(facts), [tuple(facts.values())])
            + folded(f"The first {len(shown)} answers", table(names, answers))
        )

    def by_problem(self, values: NDArray[Value]) -> NDArray[Value]:
        """Values of answers, [A], as [Q, M]."""
        return values.reshape(len(self.agents), -1).T

    def by_agent(self, values: Floats) -> dict[AgentId, float]:
        """Values of agents, float64 [M], by their identifiers."""
        ids = map(AgentId, self.agents.ids.tolist())
        return dict(zip(ids, values.tolist(), strict=True))
