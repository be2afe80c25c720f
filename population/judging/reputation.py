"""Reputation: how far each grader is to be believed, learned from agreement with the others.

Dimensions: M agents, A answers, K seats. Sparse, with a memory.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgptn.population.records.arrays import Floats, Integers

MOMENTS = 3
"""Numbers known of a grader: sums of its deviation squared, of the others', of their product."""

TOLERANCE, NEAR = 1e-6, 0.05
"""Largest changes of a weight that count as none, and as a small one."""

LEAST = 1e-9
"""A sum of weights, or a variance, below this is rounding."""


@dataclass(frozen=True, slots=True)
class Ballots:
    """Grades of a generation with who gave them.

    Attributes
    ----------
    values
        float64 [A, K] in [0, 1], NaN where a seat's grade does not count.
    graders
        Integers [A, K], slots.
    agents
        M.
    """

    values: Floats
    graders: Integers
    agents: int


def reputation_scores(ballots: Ballots, known: Floats, iterations: int) -> tuple[Floats, Floats]:
    """Mean of each answer's grades, graders weighted by their reputation.

    A reputation is the correlation, at least 0, of a grader's grades with the weighted mean of the
    others' grades of the same answers, those before this generation included: sums of squares and
    products about each generation's own means are added up, so that a generation without any
    difference between answers, which says nothing, takes little away. Weights are a fixed point,
    approached half-way from what was known before, or from all alike; where nobody agrees with
    anybody, all weigh 1.

    Parameters
    ----------
    known
        float64 [M, 3], sums as of `MOMENTS` from generations before; zeros at first.
    iterations
        Bound on them.

    Returns
    -------
    Scores, float64 [A], NaN where all of an answer's graders weigh nothing; and the sums with this
    generation's added, float64 [M, 3].

    Source
    ------
    The idea of de Kerchove & Van Dooren 2010, "Iterative filtering in reputation systems", with
    correlation for distance, so that lenient and severe graders are alike.
    """
    seats = [
        _Seat(ballots.graders[:, k].astype(np.int64), ballots.values[:, k])
        for k in range(ballots.values.shape[1])
    ]
    weights = _correlation(known) if known.any() else np.ones(ballots.agents)
    total, before = known, np.inf
    for _ in range(iterations):
        total = known + _moments(seats, weights)
        agreement = _correlation(total)
        if not agreement.any():
            weights = np.ones(ballots.agents)
            break
        change = float(np.abs(agreement - weights).max())
        if change <= TOLERANCE:
            weights = agreement
            break
        # Half-way, or two parties could take turns; all the way once it is nearly there.
        near = change < NEAR and change < before
        weights, before = agreement if near else (weights + agreement) / 2.0, change
    held, sums = np.zeros(len(ballots.values)), np.zeros(len(ballots.values))
    for seat in seats:
        trust = weights[seat.slots] * seat.given
        held += trust
        sums += trust * seat.grades
    scores: Floats = np.full(len(held), np.nan)
    np.divide(sums, held, out=scores, where=held > LEAST)
    return np.clip(scores, 0.0, 1.0), total


class _Seat:
    """One seat's grades: whose, float64 [A] with 0 where not given, and whether, 0 or 1."""

    def __init__(self, slots: Integers, values: Floats) -> None:
        given = ~np.isnan(values)
        self.slots = slots
        self.given = given.astype(np.float64)
        self.grades = np.where(given, np.clip(values, 0.0, 1.0), 0.0)


def _moments(seats: Sequence[_Seat], weights: Floats) -> Floats:
    """Sums of squares and products of each grader's grades and the others' consensus, [M, 3].

    Each about its mean. Every answer counts by the sum of the others' weights.
    """
    agents = len(weights)
    trusts = [weights[seat.slots] * seat.given for seat in seats]
    held = sum(trusts, np.zeros(1))
    sums = sum((t * seat.grades for t, seat in zip(trusts, seats, strict=True)), np.zeros(1))
    found = np.zeros((6, agents))
    for trust, seat in zip(trusts, seats, strict=True):
        x, others = seat.grades, held - trust
        # What is left of a sum may be rounding only.
        counts = (others > LEAST) & (seat.given > 0.0)
        others = np.where(counts, others, 0.0)
        rest = np.where(counts, sums - trust * x, 0.0)
        consensus = np.divide(rest, others, out=np.zeros_like(rest), where=counts)
        columns = others, others * x, rest, others * x * x, rest * consensus, rest * x
        for row, column in zip(found, columns, strict=True):
            row += np.bincount(seat.slots, weights=column, minlength=agents)
    n, x, y, xx, yy, xy = found
    counted = np.maximum(n, LEAST)
    spreads = [_or_zero(square - s * s / counted, n) for square, s in ((xx, x), (yy, y))]
    return np.stack([*spreads, xy - x * y / counted], axis=1)


def _or_zero(squares: Floats, counts: Floats) -> Floats:
    """Sums of squared deviations, 0 where what is left is rounding: all were alike."""
    return np.where(squares > LEAST * counts, squares, 0.0)


def _correlation(sums: Floats) -> Floats:
    """Correlation from sums of squares and products, [M], at least 0."""
    spread = np.sqrt(sums[:, 0] * sums[:, 1])
    found = np.divide(sums[:, 2], spread, out=np.zeros_like(spread), where=spread > 1e-9)
    weights: Floats = np.clip(found, 0.0, 1.0)
    return weights
