"""Fitness from grades: tables of grades, and rival ways to make one score of an answer's grades.

Grades are float64 [K, A] in [0, 1], a row per grader, NaN where not graded. Every aggregation
gives float64 [A] in [0, 1], NaN where an answer has no grade that counts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.population.records.agents import AgentId
from mgptn.population.records.outcomes import Outcomes

Values = NDArray[np.float64]


class Survey(NamedTuple):
    """Who graded what: graders [K], ascending, and their grades float64 [K, A]."""

    graders: tuple[AgentId, ...]
    grades: Values


class Reputations(NamedTuple):
    """How far each grader is to be believed.

    Attributes
    ----------
    weights
        float64 [K], in [0, 1]: correlation of a grader's grades with the consensus of the others.
    rounds
        Iterations done.
    converged
        Whether the weights reproduce themselves.
    """

    weights: Values
    rounds: int
    converged: bool


def survey(outcomes: Outcomes) -> Survey:
    """The grades of A outcomes in a row per grader; unreadable ones are NaN."""
    seats = outcomes.matches.graders[:, : outcomes.grades.shape[1]]
    slots, rows = np.unique(seats, return_inverse=True)
    ids = outcomes.matches.authors[slots]
    ascending = np.argsort(ids)
    grades = np.full((len(slots), len(outcomes)), np.nan)
    answers = np.broadcast_to(np.arange(len(outcomes))[:, None], seats.shape)
    grades[np.argsort(ascending)[rows.reshape(seats.shape)], answers] = outcomes.grade_values()
    return Survey(tuple(AgentId(i) for i in ids[ascending].tolist()), grades)


def as_table(answers: Sequence[Sequence[float | None]]) -> Values:
    """Lists of each answer's grades as a table by seat, [K, A], None and missing ones NaN.

    For aggregations that do not ask who graded: a row is a place in the lists, not a grader.
    """
    table = np.full((max(map(len, answers), default=0), len(answers)), np.nan)
    for answer, grades in enumerate(answers):
        table[: len(grades), answer] = [math.nan if g is None else g for g in grades]
    return table


def mean_grades(grades: ArrayLike) -> Values:
    """Mean of each answer's grades.

    Raises
    ------
    ValueError
        If grades are no such table.
    """
    return trimmed_mean_grades(grades, 0.0)


def trimmed_mean_grades(grades: ArrayLike, trim: float) -> Values:
    """Mean of each answer's grades without the ⌊trim·k⌋ lowest and as many of the highest of k.

    Parameters
    ----------
    trim
        Share to leave out at each end, in [0, 1/2).

    Raises
    ------
    ValueError
        If grades are no such table, or trim is outside its range.

    Source
    ------
    Tukey & McLaughlin 1963.
    """
    if not 0.0 <= trim < 0.5:
        raise ValueError(f"trim: expected in [0, 1/2), got {trim}")
    ordered = np.sort(_checked(grades), axis=0)
    counts = np.sum(~np.isnan(ordered), axis=0)
    # Rounding of the product must not lose a whole grade.
    cut = np.floor(trim * counts + 1e-9)
    place = np.arange(ordered.shape[0])[:, None]
    kept = (place >= cut) & (place < counts - cut)
    return _quotient(np.where(kept, ordered, 0.0).sum(axis=0), kept.sum(axis=0))


def majority(grades: ArrayLike, threshold: float) -> Values:
    """1 where more than half of an answer's graders give at least the threshold, 1/2 for a tie.

    Raises
    ------
    ValueError
        If grades are no such table, or the threshold is NaN.

    Source
    ------
    Condorcet 1785.
    """
    accepted, counts = _votes(grades, threshold)
    return np.where(counts > 0, (np.sign(2 * accepted - counts) + 1.0) / 2.0, np.nan)


def unanimity(grades: ArrayLike, threshold: float) -> Values:
    """1 where all of an answer's graders give at least the threshold, else 0.

    Raises
    ------
    ValueError
        If grades are no such table, or the threshold is NaN.
    """
    accepted, counts = _votes(grades, threshold)
    return np.where(counts > 0, np.where(accepted == counts, 1.0, 0.0), np.nan)


def reputations(grades: ArrayLike, iterations: int = 100, tolerance: float = 1e-6) -> Reputations:
    """Learn without gold whom to believe: by agreement with the consensus of the others.

    A fixed point: a grader's weight is the correlation of its grades with the weighted mean of
    all the others' grades of the same answers, zero if negative, and all start alike. An answer
    counts in the correlation by the sum of the others' weights. So it finds the view of the more
    numerous or more consistent party, and is right if that party is. A grader that grades all
    answers alike, or fewer than two that others graded, has weight 0. If nobody agrees with the
    others, all weights are 1.

    Parameters
    ----------
    grades
        float64 [K, A]; here a row must be one grader.
    iterations
        Bound on them, ≥ 1.
    tolerance
        Largest change of a weight that counts as none.

    Raises
    ------
    ValueError
        If grades are no such table, or iterations or tolerance are outside their range.

    Source
    ------
    The idea of de Kerchove & Van Dooren 2010, "Iterative filtering in reputation systems", with
    correlation for distance, so that lenient and severe graders are alike.
    """
    if iterations < 1:
        raise ValueError(f"iterations: expected at least 1, got {iterations}")
    if not tolerance > 0.0:
        raise ValueError(f"tolerance: expected a number > 0, got {tolerance}")
    table = _checked(grades)
    given = ~np.isnan(table)
    filled = np.where(given, table, 0.0)
    weights = np.ones(table.shape[0])
    for count in range(1, iterations + 1):
        agreement = _agreement(filled, given, weights)
        if not agreement.any():
            return Reputations(np.ones(weights.size), count, True)
        if np.abs(agreement - weights).max() <= tolerance:
            # A weight that vanishes may take with it all that another could be compared with.
            again = _agreement(filled, given, agreement)
            if np.abs(again - agreement).max() <= tolerance:
                return Reputations(agreement, count, True)
            weights = agreement
        else:
            # Half-way, or two parties could take turns.
            weights = (weights + agreement) / 2.0
    return Reputations(agreement, iterations, False)


def weighted_mean_grades(grades: ArrayLike, weights: ArrayLike) -> Values:
    """Weighted mean of each answer's grades; NaN also where all of its graders weigh nothing.

    Parameters
    ----------
    weights
        float64 [K], finite, ≥ 0.

    Raises
    ------
    ValueError
        If grades are no such table, or weights do not fit it.
    """
    table = _checked(grades)
    trust = np.asarray(weights, dtype=np.float64)
    if trust.shape != table.shape[:1]:
        raise ValueError(f"weights: expected shape {table.shape[:1]}, got {trust.shape}")
    if not np.all((trust >= 0.0) & np.isfinite(trust)):
        raise ValueError(f"weights: expected finite numbers ≥ 0, got {trust}")
    given = ~np.isnan(table)
    means = _quotient(trust @ np.where(given, table, 0.0), trust @ given)
    return np.clip(means, 0.0, 1.0)


def reputation_weighted(grades: ArrayLike) -> Values:
    """Mean of each answer's grades, graders weighted by their `reputations`."""
    return weighted_mean_grades(grades, reputations(grades).weights)


def agent_fitness(scores: ArrayLike, agents: int) -> Values:
    """Mean score of each agent's answers, [M], from scores [A] in author-major order.

    Returns
    -------
    float64 [M]; NaN where no answer of an agent has a score.

    Raises
    ------
    ValueError
        If the answers cannot be dealt evenly to the agents.
    """
    values = np.asarray(scores, dtype=np.float64)
    if agents < 1 or values.ndim != 1 or values.size % agents:
        raise ValueError(f"scores: expected as many for each of {agents}, got {values.shape}")
    own = values.reshape(agents, -1)
    scored = ~np.isnan(own)
    return _quotient(np.where(scored, own, 0.0).sum(axis=1), scored.sum(axis=1))


def _agreement(filled: Values, given: NDArray[np.bool_], weights: Values) -> Values:
    """Correlation of every grader with the others' weighted mean, [K], at least 0."""
    trust = weights[:, None] * given
    others = trust.sum(axis=0) - trust
    # What is left of a sum may be rounding only.
    evidence = np.where(given & (others > 1e-9), others, 0.0)
    rest = (trust * filled).sum(axis=0) - trust * filled
    consensus = np.divide(rest, others, out=np.zeros_like(filled), where=evidence > 0.0)
    evidence /= np.maximum(evidence.sum(axis=1, keepdims=True), 1e-9)

    def centred(values: Values) -> Values:
        deviation: Values = values - (evidence * values).sum(axis=1, keepdims=True)
        return deviation

    own, common = centred(filled), centred(consensus)
    covariance = (evidence * own * common).sum(axis=1)
    spread = np.sqrt((evidence * own**2).sum(axis=1) * (evidence * common**2).sum(axis=1))
    correlation = np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 1e-9)
    agreement: Values = np.clip(correlation, 0.0, 1.0)
    return agreement


def _votes(grades: ArrayLike, threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Grades of at least the threshold, and all grades, of every answer."""
    if math.isnan(threshold):
        raise ValueError("threshold: expected a number, got nan")
    table = _checked(grades)
    return np.sum(table >= threshold, axis=0), np.sum(~np.isnan(table), axis=0)


def _quotient(sums: Values, counts: NDArray[np.int64] | Values) -> Values:
    quotient: Values = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return quotient


def _checked(grades: ArrayLike) -> Values:
    table = np.asarray(grades, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"grades: expected graders by answers, got shape {table.shape}")
    if np.any((table < 0.0) | (table > 1.0)):
        raise ValueError("grades: expected in [0, 1] or NaN, got one outside")
    return table
