"""The tournament: asks for matches, is told their outcomes, decides who is born and who dies."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mgptn.population.breeding.births import Breeding, Inheritance
from mgptn.population.breeding.memory import Memory, new_lessons, remembering
from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.breeding.processes import PROCESSES, deme_size
from mgptn.population.breeding.protection import rarity_rates
from mgptn.population.draws.streams import stream
from mgptn.population.judging.aggregation import AGGREGATIONS, aggregate
from mgptn.population.judging.dissent import confirmed_dissent
from mgptn.population.judging.growth import next_size
from mgptn.population.judging.pairing import graders_among, random_graders, random_partners, seated
from mgptn.population.judging.rated_fitness import rated_fitness
from mgptn.population.judging.roles import ROLES
from mgptn.population.judging.selectors import AGGREGATING, Evidence, Selector, mixture
from mgptn.population.judging.topology import BY_STRENGTH, Eligible, check_enough, eligible_graders
from mgptn.population.records.agents import Example, Genome
from mgptn.population.records.arrays import Floats, Integers, known_means
from mgptn.population.records.columns import differing
from mgptn.population.records.generation import Generation
from mgptn.population.records.lessons import examples
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import NOBODY, Population, population_digest
from mgptn.population.records.settled import check_name
from mgptn.population.records.weights import learned as after_learning
from mgptn.population.settings import TournamentSettings


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a generation's answers are worth, before anybody learns or is born.

    Attributes
    ----------
    scores, accepted
        As of `Generation`.
    known
        What is now known of the graders, float64 [M, P].
    memories
        Of each agent, in slot order, where weights learn: what it is to learn from, this
        generation's lesson last; without one it does not learn. Empty where none do.
    """

    scores: Floats
    accepted: Integers
    known: Floats
    memories: tuple[Memory, ...] = ()
    taught: tuple[bool, ...] = ()


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
        for genome in genomes:
            check_name("role", genome.role, ROLES)
        self.settings = settings
        self._deme_size = deme_size(settings.process, settings.options, len(genomes))
        self.seed = seed
        self.generation = 0
        slots = np.arange(len(genomes))
        before = np.full(len(genomes), -1)
        self.agents = Population(
            slots, np.full(len(genomes), NOBODY), slots, before, tuple(genomes), slots
        )
        self._next_id = len(genomes)
        self._inheritance = Inheritance(
            mutation=settings.mutation,
            context_capacity=settings.context_capacity,
            deme_size=self._deme_size,
            recombination=settings.recombination,
            merging=settings.merging,
            merging_share=settings.merging_share,
        )
        self._asked: Matches | None = None
        self._selector: Selector = mixture(settings.weights)
        self._aggregates = any(settings.weights.get(name, 0.0) > 0.0 for name in AGGREGATING)
        # What is known of every slot's agent as a grader, learned from outcomes alone.
        self._known = np.zeros((len(genomes), AGGREGATIONS[settings.aggregation].learns))
        self._fixed: Eligible | None = None
        self.size = settings.growth.start if settings.growth else 0
        self._memories: list[Memory] = [()] * len(genomes)

    @property
    def problems(self) -> int:
        """How many are asked in the generation to come."""
        return self.settings.problems if self.generation >= self.settings.asked_from else 1

    def ask(self) -> Matches:
        """The generation's matches, author-major: every agent answers every problem."""
        if self._asked is None:
            graders = self._seats()
            self._asked = Matches(
                authors=self.agents.ids,
                problems=self.problems,
                graders=graders,
                partners=random_partners(
                    len(self.agents), graders, self.settings.partners, self._stream("partners")
                ),
            )
        return self._asked

    def judge(self, outcomes: Outcomes) -> Judged:
        """What the outcomes of all matches, in the order asked, are worth; nothing changes.

        Raises
        ------
        ValueError
            If the outcomes are not those of the matches that `ask` returns.
        """
        self._check(outcomes)
        scores, known = self._scores(outcomes)
        least = 0.0 if self.settings.feeds == "all" else self.settings.acceptance.cut(scores)
        accepted = np.flatnonzero(scores >= least)
        learning = self.settings.learning
        if learning is None:
            return Judged(scores, accepted, known)
        fed = accepted if learning.feeds == "accepted" else np.flatnonzero(scores >= 0.0)
        # An answer that was cut off cannot be taught: it has no end.
        whole = fed[outcomes.finished[fed]]
        entry = self.settings.entry if learning.entry == "context" else learning.entry
        given = self._by_author(examples(outcomes, whole, entry, scores), whole)
        lessons = new_lessons(given, self.size, learning)
        memories = tuple(
            remembering(memory, lesson, learning)
            for memory, lesson in zip(self._memories, lessons, strict=True)
        )
        return Judged(
            scores, accepted, known, memories, tuple(bool(one.examples) for one in lessons)
        )

    def tell(self, outcomes: Outcomes, learned: Sequence[str | None] = ()) -> Generation:
        """Decide on the generation, given the outcomes of all its matches in the order asked.

        Parameters
        ----------
        learned
            Of each agent, in slot order, where weights learn: hash of the numbers that it ended
            with, or None where it did not learn. Empty if nobody did.

        Raises
        ------
        ValueError
            If the outcomes are not those of the matches that `ask` returns, or what was learned
            is not that of its agents; nothing changes.
        """
        judged = self.judge(outcomes)
        scores, accepted, known = judged.scores, judged.accepted, judged.known
        self._check_learned(learned)
        fitness = self._fitness(scores, outcomes)
        rates = self._rates(fitness, outcomes)
        drawn = PROCESSES[self.settings.process](
            rates, self.settings.options, self._stream("births")
        )
        breeding = Breeding(self._inheritance, self.seed, self.generation)
        grown = self._grown(outcomes, accepted, learned)
        born = breeding.carry_out(self.agents, grown, drawn, rates, self._next_id)
        told = Generation(
            index=self.generation,
            agents=self.agents,
            outcomes=outcomes,
            scores=scores,
            accepted=accepted,
            fitness=fitness,
            rates=rates,
            births=born.births,
            deaths=born.deaths,
            survivors=born.survivors,
            digest=population_digest(born.survivors, self.generation),
            size=self.size,
            learned=tuple(learned),
        )
        self._known = known[born.ancestors]
        if judged.memories:
            self._memories = [judged.memories[slot] for slot in born.ancestors.tolist()]
        if self.settings.growth is not None:
            self.size = next_size(self.settings.growth, self.size, self.generation, outcomes)
        self._next_id += len(born.births)
        self.agents = born.survivors
        self.generation += 1
        self._asked = None
        return told

    def _fitness(self, scores: Floats, outcomes: Outcomes) -> Floats:
        """Each agent's, float64 [M]: its answers' mean score, or what it is to expect of one.

        And what its dissent is worth.
        """
        if self.settings.fitness == "bradley-terry":
            fitness = rated_fitness(scores, self.ask())
        else:
            fitness = known_means(scores.reshape(len(self.agents), -1).T, len(self.agents))
        if self.settings.dissent > 0.0:
            lineages = self.agents.founders.tolist()
            fitness = fitness + self.settings.dissent * confirmed_dissent(outcomes, lineages)
        return fitness

    def _stream(self, purpose: str) -> np.random.Generator:
        return stream(self.seed, purpose, self.generation)

    def _seats(self) -> Integers:
        """Slots of every answer's graders, its author last where authors grade too."""
        size, settings, name = len(self.agents), self.settings, self.settings.topology.name
        if settings.seating == "self":
            return np.repeat(np.arange(size), self.problems)[:, None]
        if settings.seating == "nobody":
            return np.zeros((size * self.problems, 0), dtype=np.int64)
        if name == "random":
            drawn = random_graders(size, self.problems, settings.graders, self._stream("graders"))
        else:
            drawn = graders_among(
                self._eligible(), self.problems, settings.graders, self._stream("graders")
            )
        return seated(drawn, self.problems) if settings.self_grading else drawn

    def _eligible(self) -> Eligible:
        """Who may grade whom: drawn once, but where it goes by the models in the slots."""
        if self._fixed is not None:
            return self._fixed
        settings = self.settings
        found = eligible_graders(
            len(self.agents),
            settings.graders,
            settings.topology,
            self.agents.models(),
            stream(self.seed, "topology"),
        )
        check_enough(found, settings.graders, settings.topology.name)
        if settings.topology.name not in BY_STRENGTH:
            self._fixed = found
        return found

    def _scores(self, outcomes: Outcomes) -> tuple[Floats, Floats]:
        """The selector's word on every answer, and what is now known of the graders."""
        settings, peers, known = self.settings, np.full(len(outcomes), np.nan), self._known
        if self._aggregates:
            peers, known = aggregate(outcomes, settings.rule, known)
        if outcomes.ratings.size:
            peers = np.where(np.isnan(peers), outcomes.ratings, peers)
        evidence = Evidence(outcomes, peers, settings.human)
        return self._selector(evidence, self._stream("selector")), known

    def _check_learned(self, learned: Sequence[str | None]) -> None:
        if learned and self.settings.learning is None:
            raise ValueError("learned: expected nothing where weights do not learn, got something")
        if learned and len(learned) != len(self.agents):
            raise ValueError(
                f"learned: expected what {len(self.agents)} agents learned, got {len(learned)}"
            )

    def _check(self, outcomes: Outcomes) -> None:
        matches = self.ask()
        if len(outcomes) != len(matches):
            raise ValueError(
                f"outcomes: expected {len(matches)} of generation {self.generation}, "
                f"got {len(outcomes)}"
            )
        told = outcomes.matches
        if differing(told, matches):
            rows = (i for i in range(len(matches)) if told.described(i) != matches.described(i))
            i = next(rows, 0)
            raise ValueError(
                f"outcomes[{i}]: expected the outcome of {matches.described(i)}, got one of "
                f"{told.described(i)}"
            )
        seats = matches.graders.shape[1]
        if outcomes.grades.shape[1] not in (seats, 0):
            raise ValueError(
                f"outcomes.grades: expected those of {seats} graders, got "
                f"{outcomes.grades.shape[1]}"
            )

    def _rates(self, fitness: Floats, outcomes: Outcomes) -> Floats:
        """Replication rates, float64 [M], of agents that compete within their demes."""
        operator, size = OPERATORS[self.settings.operator], self._deme_size
        rates = np.concatenate(
            [
                operator(
                    _filled(fitness[first : first + size]), self.settings.selection_temperature
                )
                for first in range(0, len(fitness), size)
            ]
        )
        kept = self.settings.protection
        return (1.0 - kept) * rates + kept * rarity_rates(outcomes, size) if kept else rates

    def _grown(
        self, outcomes: Outcomes, accepted: Integers, learned: Sequence[str | None]
    ) -> Callable[[int], Genome]:
        """From a slot to its agent's genome after the generation.

        With what was accepted of its answers in its context, and what it learned in its weights.
        """
        capacity, size = self.settings.context_capacity, len(self.agents)
        authors = accepted // self.problems
        ends = np.cumsum(np.bincount(authors, minlength=size))
        # What would be forgotten at once is not looked at.
        newest = ends[authors] - np.arange(len(accepted)) <= max(capacity, 1)
        shown = accepted[newest]
        lessons = self._by_author(
            examples(outcomes, shown, self.settings.entry, text=self.settings.text), shown
        )

        def grown(slot: int) -> Genome:
            genome = self.agents.genome(slot).remember(tuple(lessons[slot]), capacity)
            content = learned[slot] if learned else None
            if content is None:
                return genome
            return replace(genome, weights=after_learning(genome.weights, genome.model, content))

        return grown

    def _by_author(self, found: list[Example], answers: Integers) -> list[list[Example]]:
        """Examples made of some answers, in order, as those of each agent, in slot order."""
        counts = np.bincount(answers // self.problems, minlength=len(self.agents))
        ends = np.cumsum(counts).tolist()
        return [found[first:last] for first, last in zip([0, *ends], ends, strict=False)]


def _filled(fitness: Floats) -> Floats:
    """Fitness, float64 [M], the unknown at the mean of the known: neither favoured nor punished."""
    known = fitness[~np.isnan(fitness)].tolist()
    return np.where(np.isnan(fitness), sum(known) / len(known) if known else 0.0, fitness)
