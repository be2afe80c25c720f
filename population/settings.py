"""What decides a tournament, given the outcomes of its matches."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mgptn.population.breeding.memory import FEEDS, LearningSettings
from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.breeding.processes import PROCESSES, ProcessOptions
from mgptn.population.judging.acceptance import Acceptance
from mgptn.population.judging.aggregation import Rule
from mgptn.population.judging.growth import Growth
from mgptn.population.judging.human import Human
from mgptn.population.judging.selectors import mixture
from mgptn.population.judging.topology import Topology
from mgptn.population.records.settled import check_least, check_name, check_probabilities

SEATINGS = ("peers", "self", "nobody")
ENTRIES = ("plain", "graded", "stamped")
TEXTS = ("whole", "answer")
FITNESSES = ("mean", "bradley-terry")


@dataclass(frozen=True, slots=True)
class TournamentSettings:
    """What decides a tournament, given the outcomes.

    Attributes
    ----------
    problems, graders
        Problems of a generation, and graders of each answer among the others.
    threshold
        An answer whose score is at least this is accepted into its author's context; and a grade
        of at least this is an accepting vote, for aggregations that count votes.
    accept, accept_share
        Otherwise than by the threshold, by ``"share"`` or ``"calibrated"``, as of `Acceptance`.
    context_capacity
        Examples that a context holds; the oldest are forgotten.
    selector
        A name in `SELECTORS`, or several with their weights in a mixture.
    process, operator
        Names in `PROCESSES` and `OPERATORS`.
    selection_temperature
        The T of exp(f/T), > 0; infinity is neutral drift.
    seating
        Who takes the graders' seats: ``"peers"``, ``"self"`` (the author, one seat) or
        ``"nobody"``.
    partners
        Others, beside the graders, that take part in answering.
    feeds
        Whether answers enter a context if ``"accepted"``, or ``"all"`` that have a score.
    entry
        How they do: as ``"plain"`` pairs, ``"graded"`` with the level nearest to their mean grade,
        or ``"stamped"`` with the top level whatever their grade.
    text
        What of an answer enters a context: the ``"whole"``, or the ``"answer"`` in it, which is
        what counts to its task.
    fitness
        ``"mean"`` of the scores of an agent's answers, or ``"bradley-terry"``: its expected score
        against another agent, by strengths as of `rated_fitness`.
    dissent
        What is added to an agent's fitness for each of its answers that is a confirmed dissent,
        as of `dissent.confirmed_dissent`, as a share of all.
    protection
        Share of the births that are kept for the rare, as of `protection.rarity_rates`.
    recombination
        Probability that a child has a second parent, drawn by rate from the first one's deme,
        and the newer examples of its context from it.
    merging, merging_share
        Probability that a child has a second parent's weights mixed into its first one's, and
        their share.
    topology
        Among whom the graders of an answer are drawn.
    self_grading
        Does each author grade its own answers too, in one more seat, the last?
    aggregation, trim, quorum
        How an answer's grades become one score: `aggregation.Rule`, whose `least` is the quorum.
    human
        How the simulated human rates, for the selector of that name.
    growth
        How the task's size grows; None where it stays.
    learning
        What weights learn from; None where they do not.
    asked_from
        Generation before which agents are asked one problem alone; 0 where they always are asked
        all of them.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    problems: int
    graders: int
    threshold: float
    context_capacity: int
    selector: str | Mapping[str, float] = "peers"
    process: str = "wright-fisher"
    operator: str = "softmax"
    selection_temperature: float = 0.1
    mutation: MutationRates = field(default_factory=MutationRates)
    options: ProcessOptions = field(default_factory=ProcessOptions)
    recombination: float = 0.0
    merging: float = 0.0
    merging_share: float = 0.5
    seating: str = "peers"
    partners: int = 0
    feeds: str = "accepted"
    entry: str = "plain"
    text: str = "whole"
    topology: Topology = field(default_factory=Topology)
    self_grading: bool = False
    aggregation: str = "mean"
    trim: float = 0.25
    quorum: int = 1
    human: Human = field(default_factory=Human)
    fitness: str = "mean"
    dissent: float = 0.0
    protection: float = 0.0
    accept: str = "threshold"
    accept_share: float = 0.5
    growth: Growth | None = None
    learning: LearningSettings | None = None
    asked_from: int = 0

    def __post_init__(self) -> None:
        for name, known in (
            ("process", PROCESSES),
            ("operator", OPERATORS),
            ("seating", SEATINGS),
            ("feeds", FEEDS),
            ("entry", ENTRIES),
            ("text", TEXTS),
            ("fitness", FITNESSES),
        ):
            check_name(name, getattr(self, name), known)
        mixture(self.weights)
        self.rule  # noqa: B018  # says what is wrong with it
        self.acceptance  # noqa: B018  # so does this
        check_least(self, 1, "problems")
        check_least(self, 0, "graders", "context_capacity", "partners", "asked_from")
        if not 0.0 <= self.dissent < math.inf:
            raise ValueError(f"dissent: expected a number ≥ 0, got {self.dissent}")
        check_probabilities(self, "recombination", "merging", "merging_share", "protection")
        if not self.selection_temperature > 0.0:
            raise ValueError(
                f"selection_temperature: expected a number > 0, got {self.selection_temperature}"
            )
        if self.fitness == "bradley-terry" and not self.partners:
            raise ValueError("partners: expected at least 1 to compare authors with, got 0")

    @property
    def rule(self) -> Rule:
        """How grades are aggregated."""
        return Rule(self.aggregation, self.threshold, self.trim, self.quorum)

    @property
    def acceptance(self) -> Acceptance:
        """How it is found from which score on an answer is accepted."""
        return Acceptance(self.threshold, self.accept, self.accept_share)

    @property
    def weights(self) -> Mapping[str, float]:
        """Selector → weight."""
        return {self.selector: 1.0} if isinstance(self.selector, str) else self.selector
