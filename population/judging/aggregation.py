"""Aggregation: from the grades that an answer's graders gave it to one score.

Dimensions: M agents, A answers, K seats. Rules that learn whom to believe hand on what they know of
every agent, P numbers each; a child begins with what is known of its parent, whose grading it
inherits: if it began anew, a lineage would shed a bad name with every birth, and where all are
replaced at once there would be nothing to hand on at all.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy

from mgptn.population.judging.dawid_skene import Votes, maximise
from mgptn.population.judging.grade_rules import majority, quorum, trimmed_mean_grades, unanimity
from mgptn.population.judging.reputation import MOMENTS, Ballots, reputation_scores
from mgptn.population.records.arrays import Floats, known_means
from mgptn.population.records.outcomes import Outcomes, only
from mgptn.population.records.settled import check_least, check_name

LEARNED_IN = 200
"""Bound on the iterations of a rule that learns."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which aggregation, and what is set about it.

    Attributes
    ----------
    name
        In `AGGREGATIONS`.
    threshold
        Grade from which a grader accepts, for rules that count votes.
    trim
        Under ``trimmed-mean``: share to leave out at each end, in [0, 1/2).
    least
        Under ``quorum``: how many graders have to accept.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    name: str = "mean"
    threshold: float = 0.5
    trim: float = 0.25
    least: int = 1

    def __post_init__(self) -> None:
        check_name("aggregation", self.name, AGGREGATIONS)
        if math.isnan(self.threshold):
            raise ValueError("threshold: expected a number, got NaN")
        if not 0.0 <= self.trim < 0.5:
            raise ValueError(f"trim: expected in [0, 1/2), got {self.trim}")
        check_least(self, 1, "least")


class Aggregated(NamedTuple):
    """A score of every answer, float64 [A] in [0, 1] or NaN; what is now known, float64 [M, P]."""

    scores: Floats
    known: Floats


class Aggregation(NamedTuple):
    """A rule of aggregation: how many numbers it learns of an agent, P, and what it does."""

    learns: int
    apply: Callable[[Ballots, Rule, Floats], Aggregated]


def aggregate(outcomes: Outcomes, rule: Rule, known: Floats) -> Aggregated:
    """One score of each answer from its peers' grades, and what was learned of the graders.

    Parameters
    ----------
    known
        float64 [M, P], what was learned before of the agents in the slots; zeros at first.
    """
    if rule.name == "mean":
        return Aggregated(outcomes.mean_grades(), known)
    return AGGREGATIONS[rule.name].apply(ballots_of(outcomes), rule, known)


def ballots_of(outcomes: Outcomes) -> Ballots:
    """The peers' grades of a generation, with who gave them."""
    seats = outcomes.matches.graders[:, : outcomes.grades.shape[1]]
    return Ballots(outcomes.peer_values(), seats, len(outcomes.matches.authors))


def disagreement(outcomes: Outcomes) -> Floats:
    """Standard deviation of each answer's grades by peers, float64 [A].

    Of the grades that there are, not estimated for those that there could be; NaN where fewer
    than two could be read.
    """
    means, seats = outcomes.mean_grades(), outcomes.peer_seats()
    grades = outcomes.grades if seats is None else only(seats, outcomes.grades)
    values = np.append(outcomes.values, np.nan)
    spread = known_means(((values[seat] - means) ** 2 for seat in grades.T), len(outcomes))
    several = sum(((seat >= 0).astype(np.int8) for seat in grades.T), np.int8(0)) > 1
    return np.where(several, np.sqrt(spread), np.nan)


def _mean(ballots: Ballots, rule: Rule, known: Floats) -> Aggregated:
    return Aggregated(known_means(ballots.values.T, len(ballots.values)), known)


def _trimmed_mean(ballots: Ballots, rule: Rule, known: Floats) -> Aggregated:
    return Aggregated(trimmed_mean_grades(_scale(ballots), rule.trim), known)


def _majority(ballots: Ballots, rule: Rule, known: Floats) -> Aggregated:
    return Aggregated(majority(_scale(ballots), rule.threshold), known)


def _unanimity(ballots: Ballots, rule: Rule, known: Floats) -> Aggregated:
    return Aggregated(unanimity(_scale(ballots), rule.threshold), known)


def _quorum(ballots: Ballots, rule: Rule, known: Floats) -> Aggregated:
    return Aggregated(quorum(_scale(ballots), rule.threshold, rule.least), known)


def _reputation(ballots: Ballots, rule: Rule, known: Floats) -> Aggregated:
    return Aggregated(*reputation_scores(ballots, known, LEARNED_IN))


def _dawid_skene(ballots: Ballots, rule: Rule, known: Floats) -> Aggregated:
    """The probability that an answer is right; each grader's accepted and rejected handed on."""
    given = ~np.isnan(ballots.values)
    labelled = given.any(axis=1)
    scores = np.full(len(given), np.nan)
    if not labelled.any():
        return Aggregated(scores, known)
    answers = np.broadcast_to((np.cumsum(labelled) - 1)[:, None], given.shape)
    shape = ballots.agents, int(labelled.sum())

    def votes(which: Floats) -> Votes:
        chosen = given & (which > 0.0)
        where = ballots.graders[chosen].astype(np.int64), answers[chosen]
        return scipy.sparse.csr_array((np.ones(len(where[0])), where), shape=shape)

    accepts = np.where(given, ballots.values >= rule.threshold, 0.0)
    accepted, rejected = votes(accepts), votes(np.where(given, 1.0 - accepts, 0.0))
    found = maximise(accepted, rejected, iterations=LEARNED_IN, known=known.T)
    scores[labelled] = found.right
    right, wrong = found.right, 1.0 - found.right
    seen = np.column_stack([accepted @ right, rejected @ right, accepted @ wrong, rejected @ wrong])
    return Aggregated(scores, known + seen)


AGGREGATIONS: dict[str, Aggregation] = {
    "mean": Aggregation(0, _mean),
    "trimmed-mean": Aggregation(0, _trimmed_mean),
    "majority": Aggregation(0, _majority),
    "unanimity": Aggregation(0, _unanimity),
    "quorum": Aggregation(0, _quorum),
    "reputation": Aggregation(MOMENTS, _reputation),
    "dawid-skene": Aggregation(4, _dawid_skene),
}
"""Every aggregation by its name in a configuration."""


def _scale(ballots: Ballots) -> Floats:
    """Grades by seat, [K, A], without the rounding that carries a mean of levels off the scale."""
    return np.clip(ballots.values.T, 0.0, 1.0)
