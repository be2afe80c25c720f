"""Iterative classification: what becomes of the error of a model that learns from what it accepts.

Closed forms and recurrences only; the population that is held against them lives elsewhere.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from mgptn.population.records.shares import as_shares


class Rates(NamedTuple):
    """A grader's acceptance rates: of right answers (tpr) and of wrong ones (fpr)."""

    tpr: float
    fpr: float


def append_rate(error: float, tpr: float, fpr: float) -> float:
    """Share of answers that enter the context: a = ε·FPR + (1−ε)·TPR.

    Parameters
    ----------
    error, tpr, fpr
        Error rate of the author, and the grader's acceptance rates of right and of wrong answers;
        probabilities.

    Raises
    ------
    ValueError
        If an argument is not a probability.
    """
    _check_probabilities(error=error, tpr=tpr, fpr=fpr)
    return error * fpr + (1.0 - error) * tpr


def filtered_error(error: float, tpr: float, fpr: float) -> float:
    """Share of accepted answers that are wrong: ε' = ε·FPR / a; in odds, o' = o·FPR/TPR.

    Arguments as of `append_rate`.

    Raises
    ------
    ValueError
        If an argument is not a probability, or nothing is ever accepted.
    """
    accepted = append_rate(error, tpr, fpr)
    if accepted == 0.0:
        raise ValueError(
            f"tpr, fpr: expected an append rate > 0, got 0 at error {error}, tpr {tpr}, fpr {fpr}"
        )
    return error * fpr / accepted


def error_trajectory(error: float, tpr: float, fpr: float, rounds: int) -> NDArray[np.float64]:
    """Error after 0 … rounds rounds of filtering, of an author that copies what was accepted.

    A round in which nothing is accepted leaves the error as it is.

    Returns
    -------
    float64 [rounds + 1]

    Raises
    ------
    ValueError
        If a rate is not a probability, or rounds is negative.
    """
    _check_count("rounds", rounds)
    trajectory = np.empty(rounds + 1)
    trajectory[0] = error
    for t in range(rounds):
        accepted = append_rate(error, tpr, fpr)
        error = error * fpr / accepted if accepted > 0.0 else error
        trajectory[t + 1] = error
    return trajectory


def rounds_to_error(error: float, target: float, tpr: float, fpr: float) -> float:
    """Rounds of filtering from one error to a lower one: (logit ε₀ − logit ε*) / ln(TPR/FPR).

    Parameters
    ----------
    error, target, tpr, fpr
        ε₀, ε*, and the grader's acceptance rates; probabilities.

    Returns
    -------
    Rounds, a real number ≥ 0 (round it up for whole ones): 0 where the target is met already,
    infinite where it never is. With fpr = 0 and tpr > 0 it is the limit 0: any one round does.

    Raises
    ------
    ValueError
        If an argument is not a probability.
    """
    _check_probabilities(error=error, target=target, tpr=tpr, fpr=fpr)
    if error <= target:
        return 0.0
    if tpr <= fpr or error == 1.0:
        return math.inf
    if fpr == 0.0:
        return 0.0
    if target == 0.0:
        return math.inf
    fall = math.log(error / target) + math.log1p(-target) - math.log1p(-error)
    return fall / math.log1p((tpr - fpr) / fpr)


def posterior_error(skills: ArrayLike, prior: ArrayLike, shots: int, errors: float) -> float:
    """Error of a model that infers its skill from the examples in its context.

    w_k ∝ π_k ε_k^j (1−ε_k)^(b−j), and ε = Σ w_k ε_k.

    Parameters
    ----------
    skills
        float64 [K], error rate ε_k of every skill level.
    prior
        float64 [K], π_k, sum one.
    shots
        b ≥ 0 examples in the context.
    errors
        j of them wrong, 0 ≤ j ≤ b; may be a fraction, for an expected number.

    Raises
    ------
    ValueError
        If an argument is outside its range, shapes differ, or no skill can explain the context.

    Source
    ------
    Xie et al. 2021, "An explanation of in-context learning as implicit Bayesian inference".
    """
    rates = np.asarray(skills, dtype=np.float64)
    weights = as_shares(prior, "prior")
    if rates.shape != weights.shape:
        raise ValueError(f"skills: expected the prior's shape {weights.shape}, got {rates.shape}")
    if not np.all((rates >= 0.0) & (rates <= 1.0)):
        raise ValueError(f"skills: expected error rates in [0, 1], got {rates}")
    _check_count("shots", shots)
    if not 0.0 <= errors <= shots:
        raise ValueError(f"errors: expected 0 to {shots} (shots), got {errors}")
    with np.errstate(divide="ignore"):
        log_weights = (
            np.log(weights)
            + scipy.special.xlogy(errors, rates)
            + scipy.special.xlog1py(shots - errors, -rates)
        )
    top = log_weights.max()
    if top == -math.inf:
        raise ValueError(f"skills: expected one that explains {errors} errors in {shots}, got none")
    posterior = np.exp(log_weights - top)
    return float(np.sum(posterior * rates) / posterior.sum())


def unanimity_boundary(error: float, target: float, rounds: float, tpr: float, fpr: float) -> float:
    """Independent unanimous graders needed to reach a target error within some rounds.

    m unanimous graders have Λ_m = (TPR/FPR)^m, so the boundary is
    (logit ε₀ − logit ε*) / (R·ln(TPR/FPR)): every m above it reaches the target, if generating
    goes on until enough answers were accepted.

    Parameters
    ----------
    error, target, tpr, fpr
        ε₀, ε*, and the acceptance rates of one grader; probabilities.
    rounds
        R > 0.

    Returns
    -------
    Graders, a real number ≥ 0; infinite where no number of them suffices.

    Raises
    ------
    ValueError
        If a rate is not a probability or rounds is not above zero.
    """
    if not rounds > 0.0:
        raise ValueError(f"rounds: expected a number > 0, got {rounds}")
    return rounds_to_error(error, target, tpr, fpr) / rounds


def _check_probabilities(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name}: expected a probability in [0, 1], got {value}")


def _check_count(name: str, value: int) -> None:
    if value < 0:
        raise ValueError(f"{name}: expected a number ≥ 0, got {value}")
