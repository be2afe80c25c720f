"""Aggregation without gold: which answers are right and how good each grader is, by EM."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

Values = NDArray[np.float64]
Votes = Any
"""A matrix, dense or sparse: what both of these have is `shape`, `T` and `@`."""


class Consensus(NamedTuple):
    """What the graders' labels say about the answers and about the graders.

    Attributes
    ----------
    right
        float64 [A], probability that each answer is right.
    tpr, fpr
        float64 [K], probability that a grader accepts a right answer, and a wrong one.
    prevalence
        Share of right answers.
    objective
        float64 [R], log-posterior density of the parameters before each of R iterations, in nats
        up to a constant: it never falls.
    converged
        Whether the last iteration gained less than the tolerance.
    """

    right: Values
    tpr: Values
    fpr: Values
    prevalence: float
    objective: Values
    converged: bool


def maximise(
    accepted: Votes,
    rejected: Votes,
    iterations: int = 500,
    tolerance: float = 1e-9,
    smoothing: float = 1.0,
    known: Values | None = None,
) -> Consensus:
    """Estimate verdicts and graders' rates from binary labels alone.

    Every grader accepts right answers at its own TPR and wrong ones at its own FPR, independently
    of the others given the verdict. Expectation–maximisation starts from the share of accepting
    labels of every answer, treating all graders alike; what it finds is the nearest (local)
    maximum. The likelihood cannot tell "right" from "wrong" as names: that majorities start out
    right is what settles it. Graders that reject the right and accept the wrong are not ignored
    but read backwards.

    Parameters
    ----------
    accepted, rejected
        [K, A], dense or sparse, 1 where a grader accepted an answer, and where it rejected one;
        else 0. Every answer has a label.
    iterations
        Bound on them, ≥ 1.
    tolerance
        Gain of the objective per answer, in nats, below which to stop; > 0.
    smoothing
        s > 0: as many accepted and as many rejected answers are added to every grader's right
        and wrong ones, and right and wrong answers to all: a Beta(1 + s, 1 + s) prior on every
        rate. Keeps rates off 0 and 1, so that no grader's word is final.
    known
        float64 [4, K], numbers ≥ 0 of right answers accepted and rejected, and of wrong ones
        accepted and rejected, that are known of each grader beforehand: they are added to its
        prior, and EM starts from what they say. None for nothing.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Dawid & Skene 1979, "Maximum likelihood estimation of observer error-rates using the EM
    algorithm".
    """
    if iterations < 1:
        raise ValueError(f"iterations: expected at least 1, got {iterations}")
    for name, value in (("tolerance", tolerance), ("smoothing", smoothing)):
        if not value > 0.0:
            raise ValueError(f"{name}: expected a number > 0, got {value}")
    graders, answers = accepted.shape
    before = np.zeros((4, graders)) if known is None else known
    if before.shape != (4, graders) or not np.all(before >= 0.0):
        raise ValueError(f"known: expected numbers ≥ 0 of shape (4, {graders}), got {before}")
    prior = before + smoothing
    passed, failed = (votes.T @ np.ones(graders) for votes in (accepted, rejected))
    posterior: Values = np.asarray(passed / (passed + failed), dtype=np.float64)
    if before.any():
        tpr, fpr = prior[0] / (prior[0] + prior[1]), prior[2] / (prior[2] + prior[3])
        posterior = scipy.special.expit(_log_odds(accepted, rejected, tpr, fpr, np.float64(0.5))[2])
    objective: list[float] = []
    converged = False
    for _ in range(iterations):
        tpr = _rate(accepted @ posterior + before[0], rejected @ posterior + before[1], smoothing)
        wrong = 1.0 - posterior
        fpr = _rate(accepted @ wrong + before[2], rejected @ wrong + before[3], smoothing)
        prevalence = _rate(posterior.sum(), wrong.sum(), smoothing)
        log_right, log_wrong, odds = _log_odds(accepted, rejected, tpr, fpr, prevalence)
        posterior = scipy.special.expit(odds)
        density = sum(
            float(np.sum(p * np.log(r) + q * np.log1p(-r)))
            for p, q, r in (
                (prior[0], prior[1], tpr),
                (prior[2], prior[3], fpr),
                (smoothing, smoothing, prevalence),
            )
        )
        objective.append(float(np.logaddexp(log_right, log_wrong).sum()) + density)
        if len(objective) > 1 and objective[-1] - objective[-2] < tolerance * answers:
            converged = True
            break
    return Consensus(posterior, tpr, fpr, float(prevalence), np.array(objective), converged)


def _log_odds(
    accepted: Votes, rejected: Votes, tpr: Values, fpr: Values, prevalence: Values | np.float64
) -> tuple[Values, Values, Values]:
    """Log-probability of every answer's labels with it right, and with it wrong; their difference.

    float64 [A] each.
    """
    right = np.log(prevalence) + accepted.T @ np.log(tpr) + rejected.T @ np.log1p(-tpr)
    wrong = np.log1p(-prevalence) + accepted.T @ np.log(fpr) + rejected.T @ np.log1p(-fpr)
    return right, wrong, right - wrong


def _rate(accepted: Values, rejected: Values, smoothing: float) -> Values:
    """Posterior mode of a rate, from expected numbers."""
    rate: Values = (accepted + smoothing) / (accepted + rejected + 2.0 * smoothing)
    return rate
