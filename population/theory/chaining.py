"""Scripted populations that learn from what graders accept: the simulation beside `bootstrap`.

Agents answer, graders accept, accepted answers refill buffers, and an agent's error follows its
buffer: a copier takes over the share of wrong ones, a learner infers a skill from it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, xlog1py, xlogy

from mgptn.population.records.shares import as_shares
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
    accepted the buffer stays. With ever more answers this is `bootstrap.error_trajectory`; with
    few, errors drift, and a buffer of wrong answers only, or of none, stays so for good.

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

    def copy(errors: Values, accepted: Counts, wrong: Counts) -> Values:
        return np.where(accepted > 0, wrong / np.maximum(accepted, 1), errors)

    return _chain(error, rates, answers, rounds, buffers, rng, copy)


def simulate_learners(
    error: float,
    rates: Rates,
    answers: int,
    rounds: int,
    buffers: int,
    rng: np.random.Generator,
    skills: ArrayLike,
    prior: ArrayLike,
) -> Chains:
    """Agents who infer from their buffer which skill is asked of them: see `posterior_errors`.

    Rounds are those of `simulate_copiers`; after each, the error is the posterior's mean given
    the buffer. With large buffers it locks on a skill unless Λ is above
    `bootstrap.lock_threshold`, and never falls below the best skill.

    Parameters
    ----------
    error, rates, answers, rounds, buffers, rng
        As of `simulate_copiers`; the error is that of the first round.
    skills, prior
        float64 [K], error rate in (0, 1) of every skill, and its prior probability.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the prior and the skills differ in shape.
    """
    levels, shares = _checked_skills(skills, prior)

    def infer(errors: Values, accepted: Counts, wrong: Counts) -> Values:
        return np.where(accepted > 0, posterior_errors(levels, shares, accepted, wrong), errors)

    return _chain(error, rates, answers, rounds, buffers, rng, infer)


def posterior_errors(
    skills: ArrayLike, prior: ArrayLike, shots: ArrayLike, wrong: ArrayLike
) -> Values:
    """`bootstrap.posterior_error` of many buffers at once.

    Parameters
    ----------
    skills, prior
        float64 [K], error rate in (0, 1) of every skill, and its prior probability.
    shots, wrong
        [B], examples in every buffer, and the wrong ones among them.

    Returns
    -------
    float64 [B]

    Raises
    ------
    ValueError
        If a skill is not in (0, 1), or the prior has another shape or does not sum to one.
    """
    levels, shares = _checked_skills(skills, prior)
    seen, missed = (np.asarray(counts, dtype=np.float64)[:, None] for counts in (shots, wrong))
    with np.errstate(divide="ignore"):
        log_weights = np.log(shares) + xlogy(missed, levels) + xlog1py(seen - missed, -levels)
    posterior = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    return np.asarray(posterior @ levels, dtype=np.float64)


def _chain(
    error: float,
    rates: Rates,
    answers: int,
    rounds: int,
    buffers: int,
    rng: np.random.Generator,
    adapt: Callable[[Values, Counts, Counts], Values],
) -> Chains:
    """The rounds; `adapt` makes new errors [B] of the old, the accepted and the wrong."""
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
        # A mean of skills may round to just above one.
        errors[t + 1] = np.minimum(adapt(errors[t], accepted[t], wrong[t]), 1.0)
    return Chains(errors, accepted, wrong)


def _check_rates(rates: Rates) -> None:
    for name, value in zip(rates._fields, rates, strict=True):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name}: expected a probability in [0, 1], got {value}")


def _checked_skills(skills: ArrayLike, prior: ArrayLike) -> tuple[Values, Values]:
    shares = as_shares(prior, "prior")
    levels = np.asarray(skills, dtype=np.float64)
    if levels.shape != shares.shape:
        raise ValueError(f"skills: expected the prior's shape {shares.shape}, got {levels.shape}")
    if not np.all((levels > 0.0) & (levels < 1.0)):
        raise ValueError(f"skills: expected error rates in (0, 1), got {levels}")
    return levels, shares
