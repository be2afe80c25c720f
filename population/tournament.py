"""The tournament: asks for matches, is told their outcomes, decides who is born and who dies."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from population.moran import sample_events
from population.mutation import MutationRates, mutate
from population.pairing import random_graders
from population.records import (
    Agent,
    AgentId,
    Birth,
    Example,
    Generation,
    Genome,
    Match,
    Outcome,
    population_digest,
)
from population.selection import OPERATORS
from population.selectors import SELECTORS
from population.streams import stream
from population.wright_fisher import sample_parents


@dataclass(frozen=True, slots=True)
class TournamentSettings:
    """What decides a tournament, given the outcomes.

    Attributes
    ----------
    problems, graders
        Problems of a generation, and graders of each answer.
    threshold
        An answer whose score is at least this is accepted into its author's context.
    context_capacity
        Examples that a context holds; the oldest are forgotten.
    selector, process, operator
        Names in `SELECTORS`, `PROCESSES` and `OPERATORS`.
    selection_temperature
        The T of exp(f/T), > 0; infinity is neutral drift.
    """

    problems: int
    graders: int
    threshold: float
    context_capacity: int
    selector: str = "peers"
    process: str = "wright-fisher"
    operator: str = "softmax"
    selection_temperature: float = 0.1
    mutation: MutationRates = field(default_factory=MutationRates)


Ancestry = list[tuple[int, int]]
"""Births in order, each (slot of the parent, slot of the child) among the living at that moment."""


def wright_fisher(rates: np.ndarray, rng: np.random.Generator) -> tuple[Ancestry, bool]:
    """Everybody dies; each child's parent is drawn by replication rate."""
    return [(int(parent), slot) for slot, parent in enumerate(sample_parents(rates, rng))], True


def moran(rates: np.ndarray, rng: np.random.Generator) -> tuple[Ancestry, bool]:
    """M events in turn: a parent by rate, its child in the place of one drawn evenly.

    Nobody is judged anew within the generation: a child counts with its parent's rate.
    """
    parents, deaths = sample_events(rates, len(rates), rng)
    return [(int(p), int(d)) for p, d in zip(parents, deaths, strict=True)], False


def frozen(rates: np.ndarray, rng: np.random.Generator) -> tuple[Ancestry, bool]:
    """Nobody is born and nobody dies."""
    return [], False


PROCESSES: dict[str, Callable[[np.ndarray, np.random.Generator], tuple[Ancestry, bool]]] = {
    "wright-fisher": wright_fisher,
    "moran": moran,
    "none": frozen,
}
"""Name → process: replication rates, float64 [M], to births, and whether they are all at once."""


class Tournament:
    """A population under selection, advanced by `ask` and `tell` in turn.

    All randomness is keyed by the seed, the purpose and the generation, so a tournament that is
    told the same outcomes decides the same, wherever and whenever it runs.

    Parameters
    ----------
    genomes
        Of the founders, in slot order; at least two.
    """

    def __init__(self, settings: TournamentSettings, genomes: Sequence[Genome], seed: int) -> None:
        if len(genomes) < 2:
            raise ValueError(f"genomes: expected at least 2 founders, got {len(genomes)}")
        self.settings = settings
        self.seed = seed
        self.generation = 0
        self.agents = tuple(
            Agent(id=AgentId(i), genome=genome, parent=None, founder=AgentId(i), born=-1)
            for i, genome in enumerate(genomes)
        )
        self._next_id = len(genomes)

    def ask(self) -> tuple[Match, ...]:
        """The generation's matches, author-major: every agent answers every problem."""
        settings = self.settings
        graders = random_graders(
            len(self.agents), settings.problems, settings.graders, self._stream("graders")
        )
        return tuple(
            Match(
                author=agent.id,
                problem=problem,
                graders=tuple(
                    self.agents[g].id for g in graders[slot * settings.problems + problem]
                ),
            )
            for slot, agent in enumerate(self.agents)
            for problem in range(settings.problems)
        )

    def tell(self, outcomes: Sequence[Outcome]) -> Generation:
        """Decide on the generation, given the outcomes of all its matches in the order asked.

        Raises
        ------
        ValueError
            If the outcomes are not those of the matches that `ask` returns; nothing changes.
        """
        outcomes = tuple(outcomes)
        self._check(outcomes)
        scores = SELECTORS[self.settings.selector](outcomes, self._stream("selector"))
        accepted = tuple(
            i
            for i, score in enumerate(scores)
            if score is not None and score >= self.settings.threshold
        )
        fitness = self._fitness(scores)
        rates = OPERATORS[self.settings.operator](
            _filled(fitness), self.settings.selection_temperature
        )
        taught = self._taught(outcomes, accepted)
        ancestry, all_at_once = PROCESSES[self.settings.process](rates, self._stream("births"))
        survivors, births, deaths = self._replace(taught, ancestry, all_at_once)
        told = Generation(
            index=self.generation,
            agents=self.agents,
            outcomes=outcomes,
            scores=scores,
            accepted=accepted,
            fitness=fitness,
            rates=tuple(float(rate) for rate in rates),
            births=births,
            deaths=deaths,
            survivors=survivors,
            digest=population_digest(survivors, self.generation),
        )
        self.agents = survivors
        self.generation += 1
        return told

    def _stream(self, purpose: str) -> np.random.Generator:
        return stream(self.seed, purpose, self.generation)

    def _check(self, outcomes: tuple[Outcome, ...]) -> None:
        matches = self.ask()
        if len(outcomes) != len(matches):
            raise ValueError(
                f"outcomes: expected {len(matches)} of generation {self.generation}, "
                f"got {len(outcomes)}"
            )
        for i, (outcome, match) in enumerate(zip(outcomes, matches, strict=True)):
            if outcome.match != match:
                raise ValueError(
                    f"outcomes[{i}]: expected the outcome of {match}, got one of {outcome.match}"
                )
            if tuple(grade.grader for grade in outcome.grades) not in (match.graders, ()):
                raise ValueError(
                    f"outcomes[{i}].grades: expected those of graders {match.graders}, got "
                    f"{[grade.grader for grade in outcome.grades]}"
                )

    def _fitness(self, scores: Sequence[float | None]) -> tuple[float | None, ...]:
        """Mean score of each agent's answers, [M]; None where none of them has one."""
        fitness: list[float | None] = []
        for slot in range(len(self.agents)):
            first = slot * self.settings.problems
            own = [s for s in scores[first : first + self.settings.problems] if s is not None]
            fitness.append(sum(own) / len(own) if own else None)
        return tuple(fitness)

    def _taught(self, outcomes: tuple[Outcome, ...], accepted: Sequence[int]) -> list[Agent]:
        """The agents with what was accepted of their answers in their contexts, in slot order."""
        lessons: dict[AgentId, list[Example]] = {agent.id: [] for agent in self.agents}
        for i in accepted:
            outcome = outcomes[i]
            lessons[outcome.match.author].append(Example(outcome.query, outcome.answer))
        return [
            replace(
                agent,
                genome=agent.genome.remember(
                    tuple(lessons[agent.id]), self.settings.context_capacity
                ),
            )
            for agent in self.agents
        ]

    def _replace(
        self, living: list[Agent], ancestry: Ancestry, all_at_once: bool
    ) -> tuple[tuple[Agent, ...], tuple[Birth, ...], tuple[AgentId, ...]]:
        """Carry out births in order; the survivors in slot order, all births, all deaths."""
        parents = list(living)
        births: list[Birth] = []
        deaths: list[AgentId] = []
        for event, (parent_slot, child_slot) in enumerate(ancestry):
            parent = (parents if all_at_once else living)[parent_slot]
            deaths.append(living[child_slot].id)
            genome, mutations = mutate(
                parent.genome,
                self.settings.mutation,
                self.settings.context_capacity,
                stream(self.seed, "mutation", self.generation, event),
            )
            child = Agent(
                id=AgentId(self._next_id),
                genome=genome,
                parent=parent.id,
                founder=parent.founder,
                born=self.generation,
            )
            self._next_id += 1
            living[child_slot] = child
            births.append(Birth(child.id, parent.id, mutations))
        return tuple(living), tuple(births), tuple(deaths)


def _filled(fitness: Sequence[float | None]) -> np.ndarray:
    """Fitness, float64 [M], the unknown at the mean of the known: neither favoured nor punished."""
    known = [value for value in fitness if value is not None]
    mean = sum(known) / len(known) if known else 0.0
    return np.array([mean if value is None else value for value in fitness], dtype=np.float64)
