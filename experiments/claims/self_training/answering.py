"""What is looked at of a generation's answers: errors, how many are distinct, which are rare.

Dimensions: Q problems, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.experiments.claims.method.journals import wrong_answers
from mgptn.population.measures.answer_errors import majority_errors
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

ERROR, VOTE, BEST, DISTINCT, ENTROPY, RARE = range(6)
"""Columns of `looked_at`."""


def looked_at(generation: Generation) -> Floats:
    """Of each problem, float64 [Q, 6].

    Share of the members that err; whether their vote errs, and whether all do; distinct answers of
    the members; the entropy of their answers' shares, in bits; and whether the problem is rare.
    """
    wrong = wrong_answers(generation)
    said = generation.by_problem(np.asarray(generation.outcomes.counted, dtype=np.float64))
    columns = [
        wrong.mean(axis=1),
        np.asarray(majority_errors(generation)),
        wrong.min(axis=1),
        np.array([float(len(np.unique(row))) for row in said]),
        np.array([entropy(row) for row in said]),
        np.array([float(carries_through_nine(query)) for query in generation.outcomes.queries]),
    ]
    return np.stack(columns, axis=-1)


def entropy(said: Floats) -> float:
    """Of the shares of equal values, float64 [M], in bits."""
    shares = np.unique(said, return_counts=True)[1] / len(said)
    return float(-(shares * np.log2(shares)).sum() + 0.0)


def carries_through_nine(query: str) -> bool:
    """Whether a sum such as ``345+657=`` has a carry that makes another at digits of sum nine.

    One sum of three-digit numbers in eleven is such: there the carry depends on digits further
    away than the next.
    """
    first, second = (number[::-1] for number in query.rstrip("=").split("+"))
    carry = 0
    for one, other in zip(first, second, strict=True):
        total = int(one) + int(other)
        if carry and total == 9:
            return True
        carry = int(total + carry >= 10)
    return False
