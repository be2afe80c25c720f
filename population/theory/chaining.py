"""Scripted populations that learn from what graders accept: the simulation beside `classification`.

Agents answer, graders accept, accepted answers refill buffers, and a copier's error is the share of
wrong ones in its buffer.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgptn.population.theory.classification import Rates

Counts = NDArray[np.int64]
Values = NDArray[np.float64]


class Chains(NamedTuple):
    """B buffers over R rounds.

    Attributes
    ----------
    errors
        float64 [R + 1, B], error rate of those who share the buffer, before each round and after
        the last.
    accepted, wrong
        int64 [R, B], answers that refilled the buffer, and how many of them were wrong.
    """

    errors: Values
    accepted: Counts
    wrong: Counts


def unanimous_rates(rates: Rates, graders: int) -> Rates:
    """Acceptance rates of independent equal graders who must all accept: TPR^m and FPR^m.

    Raises
    ------
    ValueError
        If a rate is not a probability or there is no grader.
    """
    _check_rates(rates)
    if graders < 1:
        raise ValueError(f"graders: expected at least 1, got {graders}")
    return Rates(rates.tpr**graders, rates.fpr**graders)


def simulate_copiers(
    error: float, rates: Rates, answers: int, rounds: int, buffers: int, rng: np.random.Generator
) -> Chains:
    """Agents whose error becomes the share of wrong answers in their buffer.

    In a round, whoever shares a buffer gives so many answers between them, each wrong with their
    error, each accepted or not on its own; the accepted ones replace the buffer. Where none is
    accepted the buffer stays. With ever more answers this is `error_trajectory`; with few, errors
    drift, and a buffer of wrong answers only, or of none, stays so for good.

    Parameters
    ----------
    error
        ε₀ of everybody, a probability.
    rates
        Acceptance rates of right and of wrong answers, of all graders together.
    answers
        Of one round in one buffer, ≥ 1: Q of an agent with a buffer of its own, M·Q of M agents
        who share one.
    rounds, buffers
        R ≥ 0 rounds, B ≥ 1 buffers, independent of each other.
    rng
        Generator of the stream for these answers and grades.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _check_rates(rates)
    if not 0.0 <= error <= 1.0:
        raise ValueError(f"error: expected a probability in [0, 1], got {error}")
    for name, value, least in (
        ("answers", answers, 1),
        ("rounds", rounds, 0),
        ("buffers", buffers, 1),
    ):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    errors = np.full((rounds + 1, buffers), error)
    accepted = np.empty((rounds, buffers), dtype=np.int64)
    wrong = np.empty((rounds, buffers), dtype=np.int64)
    for t in range(rounds):
        mistakes = rng.binomial(answers, errors[t])
        wrong[t] = rng.binomial(mistakes, rates.fpr)
        accepted[t] = wrong[t] + rng.binomial(answers - mistakes, rates.tpr)
        share = wrong[t] / np.maximum(accepted[t], 1)
        errors[t + 1] = np.where(accepted[t] > 0, share, errors[t])
    return Chains(errors, accepted, wrong)


def _check_rates(rates: Rates) -> None:
    for name, value in zip(rates._fields, rates, strict=True):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name}: expected a probability in [0, 1], got {value}")
