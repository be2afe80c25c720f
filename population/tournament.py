"""The tournament: asks for matches, is told their outcomes, decides who is born and who dies."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from population.mutation import MutationRates, mutate
from population.pairing import random_graders
from population.processes import (
    PROCESSES,
    Births,
    ProcessOptions,
    deme_size,
    draw_other_parent,
)
from population.recombination import one_point
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
    recombination
        Probability that a child has a second parent, drawn by rate from the first one's deme,
        and the newer examples of its context from it.
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
    options: ProcessOptions = field(default_factory=ProcessOptions)
    recombination: float = 0.0


class Tournament:
    """A population under selection, advanced by `ask` and `tell` in turn.

    All randomness is keyed by the seed, the purpose and the generation, so a tournament that is
    told the same outcomes decides the same, wherever and whenever it runs.

    Parameters
    ----------
    genomes
        Of the founders, in slot order; at least two, and such that demes have equal size.
    """

    def __init__(self, settings: TournamentSettings, genomes: Sequence[Genome], seed: int) -> None:
        if len(genomes) < 2:
            raise ValueError(f"genomes: expected at least 2 founders, got {len(genomes)}")
        self.settings = settings
        self._deme_size = deme_size(settings.process, settings.options, len(genomes))
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
        rates = self._rates(fitness)
        drawn = PROCESSES[self.settings.process](
            rates, self.settings.options, self._stream("births")
        )
        survivors, births, deaths = self._replace(self._taught(outcomes, accepted), drawn, rates)
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

    def _rates(self, fitness: Sequence[float | None]) -> np.ndarray:
        """Replication rates, float64 [M], of agents that compete within their demes."""
        operator, size = OPERATORS[self.settings.operator], self._deme_size
        return np.concatenate(
            [
                operator(
                    _filled(fitness[first : first + size]), self.settings.selection_temperature
                )
                for first in range(0, len(fitness), size)
            ]
        )

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
        self, living: list[Agent], drawn: Births, rates: np.ndarray
    ) -> tuple[tuple[Agent, ...], tuple[Birth, ...], tuple[AgentId, ...]]:
        """Carry out births in order; the survivors in slot order, all births, all deaths."""
        # Of all at once, parents are who lived at first; in turn, who lives by then.
        parents = list(living) if drawn.all_at_once else living
        worth = rates.copy()
        births: list[Birth] = []
        deaths: list[AgentId] = []
        for event, (parent_slot, child_slot) in enumerate(drawn.ancestry):
            parent = parents[parent_slot]
            dying = set() if drawn.all_at_once else {child_slot}
            genome, other = self._mixed(parents, worth, parent_slot, dying, event)
            genome, mutations = mutate(
                genome,
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
            deaths.append(living[child_slot].id)
            living[child_slot] = child
            if not drawn.all_at_once:
                worth[child_slot] = worth[parent_slot]
            births.append(Birth(child.id, parent.id, mutations, other))
        return tuple(living), tuple(births), tuple(deaths)

    def _mixed(
        self, parents: list[Agent], worth: np.ndarray, first: int, dying: set[int], event: int
    ) -> tuple[Genome, AgentId | None]:
        """A child's genome before mutation, and its second parent if it has one."""
        genome = parents[first].genome
        if not self.settings.recombination:
            return genome, None
        rng = stream(self.seed, "recombination", self.generation, event)
        if rng.random() >= self.settings.recombination:
            return genome, None
        start = first - first % self._deme_size
        outside = set(range(len(parents))) - set(range(start, start + self._deme_size))
        second = draw_other_parent(worth, outside | dying | {first}, rng)
        if second is None:
            return genome, None
        mate = parents[second]
        mixed = one_point(genome, mate.genome, self.settings.context_capacity, rng)
        return mixed.genome, mate.id


def _filled(fitness: Sequence[float | None]) -> np.ndarray:
    """Fitness, float64 [M], the unknown at the mean of the known: neither favoured nor punished."""
    known = [value for value in fitness if value is not None]
    mean = sum(known) / len(known) if known else 0.0
    return np.array([mean if value is None else value for value in fitness], dtype=np.float64)
