"""Measures of graders: how their grades agree with verdicts, and how their errors agree.

Grades are float64 in [0, 1], NaN where not graded; verdicts are boolean, True for a right answer,
and spread over the grades' leading axes. Where counts are given, each grade stands for as many
equal ones with equal verdicts. A measure that is undefined on its data (no right or no wrong
answers, …) is NaN, never an exception.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class GraderRates(NamedTuple):
    """Acceptance of right answers (tpr) and wrong ones (fpr), their ratio Λ and difference J."""

    tpr: float
    fpr: float
    likelihood_ratio: float
    youden_j: float


def grader_rates(
    grades: ArrayLike, verdicts: ArrayLike, threshold: float, counts: ArrayLike | None = None
) -> GraderRates:
    """TPR, FPR, Λ = TPR/FPR and Youden's J = TPR − FPR of accepting grades ≥ a threshold.

    Parameters
    ----------
    grades
        float64 [..., A] in [0, 1], NaN where not graded.
    verdicts
        bool [A] or of the grades' shape.
    threshold
        Least grade that accepts, in the units of grades.
    counts
        Numbers ≥ 0 of the grades' shape, how often each was given; once each if None.

    Returns
    -------
    GraderRates; Λ is infinite where only right answers are accepted.

    Raises
    ------
    ValueError
        If grades leave [0, 1], verdicts are not boolean, shapes do not fit, a count is negative,
        or a threshold is NaN.

    Source
    ------
    Youden 1950, "Index for rating diagnostic tests".
    """
    values, right, given = _graded(grades, verdicts, counts)
    if math.isnan(threshold):
        raise ValueError("threshold: expected a number, got nan")
    accepted = values >= threshold
    tpr, fpr = (_mean(accepted[side], given[side]) for side in (right, ~right))
    ratio = tpr / fpr if fpr > 0.0 else (math.inf if fpr == 0.0 and tpr > 0.0 else math.nan)
    return GraderRates(tpr, fpr, ratio, tpr - fpr)


def auc(grades: ArrayLike, verdicts: ArrayLike, counts: ArrayLike | None = None) -> float:
    """Probability that a right answer is graded above a wrong one, ties counting half.

    Arguments and errors as of `grader_rates`.

    Source
    ------
    Mann & Whitney 1947; Hanley & McNeil 1982.
    """
    values, right, given = _graded(grades, verdicts, counts)
    distinct, place = np.unique(values, return_inverse=True)
    positives, negatives = (
        np.bincount(place[side], weights=given[side], minlength=distinct.size)
        for side in (right, ~right)
    )
    pairs = float(positives.sum() * negatives.sum())
    if pairs == 0.0:
        return math.nan
    below = np.cumsum(negatives) - negatives / 2.0
    return float(positives @ below) / pairs


def brier(grades: ArrayLike, verdicts: ArrayLike, counts: ArrayLike | None = None) -> float:
    """Brier score, mean of (grade − verdict)²: 0 for a seer, 1/4 for a constant grade of 1/2.

    Arguments and errors as of `grader_rates`.

    Source
    ------
    Brier 1950, "Verification of forecasts expressed in terms of probability".
    """
    values, right, given = _graded(grades, verdicts, counts)
    return _mean((values - right) ** 2, given)


def calibration_error(
    grades: ArrayLike, verdicts: ArrayLike, bins: int = 10, counts: ArrayLike | None = None
) -> float:
    """Expected calibration error: Σ_b (n_b/n)·|share right − mean grade| over equal-width bins.

    Arguments and errors as of `grader_rates`; bins ≥ 1. A grade on an edge belongs to the bin
    above it, a grade of 1 to the last.

    Source
    ------
    Naeini, Cooper & Hauskrecht 2015.
    """
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, got {bins}")
    values, right, given = _graded(grades, verdicts, counts)
    if not given.any():
        return math.nan
    place = np.minimum((values * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=(right - values) * given, minlength=bins)
    return float(np.abs(gaps).sum() / given.sum())


def error_correlation(
    grades: ArrayLike, verdicts: ArrayLike, threshold: float | None = None
) -> float:
    """Mean pairwise correlation of graders' errors on wrong answers.

    The error on a wrong answer is the grade itself or, with a threshold, whether it accepts.

    Parameters
    ----------
    grades
        float64 [K, A] in [0, 1], a row per grader, NaN where not graded.
    verdicts
        bool [A].
    threshold
        Least grade that accepts; None to correlate the grades.

    Returns
    -------
    Pearson's correlation in [−1, 1], mean over the pairs of graders where it is defined: both
    graded at least two of the same wrong answers, and neither graded those all alike. NaN where
    no pair is left.

    Raises
    ------
    ValueError
        If grades are no matrix in [0, 1] or verdicts no booleans, one per answer.
    """
    table = np.asarray(grades, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"grades: expected graders by answers, got shape {table.shape}")
    _, right = _checked(table, verdicts)
    errors = table[:, ~np.broadcast_to(right, table.shape[1:])]
    graded = ~np.isnan(errors)
    if threshold is not None:
        errors = np.where(graded, errors >= threshold, np.nan)
    if graded.all():
        correlations = _correlations(errors)
    else:
        correlations = np.array(
            [
                _correlations(errors[[i, j]][:, graded[i] & graded[j]])
                for i, j in itertools.combinations(range(len(errors)), 2)
            ]
        ).ravel()
    defined = correlations[~np.isnan(correlations)]
    return float(defined.mean()) if defined.size else math.nan


def effective_graders(graders: int, correlation: float) -> float:
    """Number of independent graders that K correlated ones are worth: K / (1 + (K−1)·ρ).

    Parameters
    ----------
    graders
        K ≥ 1.
    correlation
        ρ, mean pairwise correlation of their errors, in [−1, 1] or NaN.

    Returns
    -------
    Effective number; NaN with the correlation, infinite where ρ ≤ −1/(K−1) cancels all error.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Kish 1965, the design effect.
    """
    if graders < 1:
        raise ValueError(f"graders: expected at least 1, got {graders}")
    if abs(correlation) > 1.0:
        raise ValueError(f"correlation: expected in [-1, 1], got {correlation}")
    effect = 1.0 + (graders - 1) * correlation if graders > 1 else 1.0
    return math.inf if effect <= 0.0 else graders / effect


def _graded(
    grades: ArrayLike, verdicts: ArrayLike, counts: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Grades that were given, flat, the verdict on each, and how often."""
    values, right = _checked(grades, verdicts)
    given = np.ones(values.shape) if counts is None else np.asarray(counts, dtype=np.float64)
    if given.shape != values.shape or not np.all(given >= 0.0):
        raise ValueError(f"counts: expected numbers ≥ 0, one per grade of {values.shape}")
    graded = ~np.isnan(values)
    return values[graded], np.broadcast_to(right, values.shape)[graded], given[graded]


def _checked(
    grades: ArrayLike, verdicts: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Grades and verdicts as arrays whose shapes fit."""
    values = np.asarray(grades, dtype=np.float64)
    right = np.asarray(verdicts)
    if right.dtype != np.bool_ and right.size:
        raise ValueError(f"verdicts: expected booleans, got {right.dtype}")
    if right.shape not in (values.shape, values.shape[-1:]):
        raise ValueError(f"verdicts: expected one per answer of {values.shape}, got {right.shape}")
    if np.any((values < 0.0) | (values > 1.0)):
        raise ValueError("grades: expected in [0, 1] or NaN, got one outside")
    return values, right.astype(np.bool_)


def _mean(values: NDArray[np.float64] | NDArray[np.bool_], counts: NDArray[np.float64]) -> float:
    total = counts.sum()
    return float(counts @ values / total) if total else math.nan


def _correlations(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's r of every pair of rows, flat; NaN where a row is all alike or has one value."""
    first, second = np.triu_indices(len(rows), 1)
    if rows.shape[1] < 2:
        return np.full(first.size, np.nan)
    varies = np.ptp(rows, axis=1) > 0.0
    correlations = np.full((len(rows), len(rows)), np.nan)
    if varies.any():
        correlations[np.ix_(varies, varies)] = np.atleast_2d(np.corrcoef(rows[varies]))
    pairs: NDArray[np.float64] = np.clip(correlations[first, second], -1.0, 1.0)
    return pairs
