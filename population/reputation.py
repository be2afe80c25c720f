"""Reputation: how far each grader is to be believed, learned from agreement with the others.

Dimensions: M agents, A answers, K seats. The sparse twin of `fitness.reputations`, with a memory.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from population.outcomes import Floats, Integers, Truths

MOMENTS = 3
"""Numbers known of a grader: sums of its deviation squared, of the others', of their product."""

TOLERANCE = 1e-6
"""Largest change of a weight that counts as none."""


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
    As of `fitness.reputations`.
    """
    given = ~np.isnan(ballots.values)
    filled = np.where(given, np.clip(ballots.values, 0.0, 1.0), 0.0)
    slots = ballots.graders.astype(np.int64)
    weights = _correlation(known) if known.any() else np.ones(ballots.agents)
    total = known
    for _ in range(iterations):
        total = known + _moments(filled, given, slots, weights)
        agreement = _correlation(total)
        if not agreement.any():
            weights = np.ones(ballots.agents)
            break
        if np.abs(agreement - weights).max() <= TOLERANCE:
            weights = agreement
            break
        # Half-way, or two parties could take turns.
        weights = (weights + agreement) / 2.0
    trust = weights[slots] * given
    held = trust.sum(axis=1)
    scores = np.full(len(held), np.nan)
    np.divide((trust * filled).sum(axis=1), held, out=scores, where=held > 1e-9)
    return np.clip(scores, 0.0, 1.0), total


def _moments(filled: Floats, given: Truths, slots: Integers, weights: Floats) -> Floats:
    """Sums of squares and products of each grader's grades and the others' consensus, [M, 3].

    Every answer counts by the sum of the others' weights.
    """
    trust = weights[slots] * given
    others = trust.sum(axis=1, keepdims=True) - trust
    # What is left of a sum may be rounding only.
    evidence = np.where(given & (others > 1e-9), others, 0.0)
    rest = (trust * filled).sum(axis=1, keepdims=True) - trust * filled
    consensus = np.divide(rest, others, out=np.zeros_like(filled), where=evidence > 0.0)

    def summed(values: Floats) -> Floats:
        sums = np.bincount(slots.ravel(), weights=values.ravel(), minlength=len(weights))
        return sums.astype(np.float64)

    counted = np.maximum(summed(evidence), 1e-9)
    own = filled - (summed(evidence * filled) / counted)[slots]
    common = consensus - (summed(evidence * consensus) / counted)[slots]
    products = own * own, common * common, own * common
    return np.stack([summed(evidence * product) for product in products], axis=1)


def _correlation(sums: Floats) -> Floats:
    """Correlation from sums of squares and products, [M], at least 0."""
    spread = np.sqrt(sums[:, 0] * sums[:, 1])
    found = np.divide(sums[:, 2], spread, out=np.zeros_like(spread), where=spread > 1e-9)
    weights: Floats = np.clip(found, 0.0, 1.0)
    return weights
