"""Rules that make one score of an answer's grades, and ask nothing about who gave them.

Grades are float64 [K, A] in [0, 1], a row per seat, NaN where not graded. Every aggregation
gives float64 [A] in [0, 1], NaN where an answer has no grade that counts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


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


def quorum(grades: ArrayLike, threshold: float, least: int) -> Values:
    """1 where at least so many of an answer's graders give at least the threshold, else 0.

    Raises
    ------
    ValueError
        If grades are no such table, or the threshold is NaN.
    """
    accepted, counts = _votes(grades, threshold)
    return np.where(counts > 0, np.where(accepted >= least, 1.0, 0.0), np.nan)


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
