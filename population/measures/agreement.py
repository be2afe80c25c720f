"""Agreement of graders on wrong answers: correlation of their errors, by pairs of seats.

Dimensions: Q problems, K seats, P = K(K − 1)/2 pairs of seats.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mgptn.population.records.arrays import Floats, Truths
from mgptn.population.records.outcomes import Outcomes, only

_ALIKE = 1e-12
"""A variance below this is rounding: all grades are alike."""


def pair_moments(outcomes: Outcomes, members: Truths) -> Floats:
    """Sums over the wrong answers that both graders of a pair graded, by problem.

    Parameters
    ----------
    members
        bool [M], the slots whose grades count.

    Returns
    -------
    float64 [6, Q, P]: number of answers; sums of the one's grades, the other's, their squares, and
    their product. Authors' own grades do not count where others grade too.
    """
    problems, seats = outcomes.matches.problems, outcomes.grades.shape[1]
    one, other = np.triu_indices(seats, 1)
    moments = np.zeros((6, problems, len(one)))
    wrong = np.flatnonzero(outcomes.wrong)
    asked = wrong % problems
    wrong = wrong[np.argsort(asked, kind="stable")]
    given, peers = outcomes.grades[wrong], outcomes.peer_seats()
    if peers is not None:
        given = only(peers[wrong], given)
    if not members.all():
        graders = outcomes.matches.graders[:, :seats][wrong]
        given = only(members[graders], given)
    grades = np.append(np.clip(outcomes.values, 0.0, 1.0), 0.0)[given]
    counted = None if np.all(given >= 0) else (given >= 0).astype(np.float64)
    ends = np.cumsum(np.bincount(asked, minlength=problems))
    for problem, (first, last) in enumerate(pairwise([0, *ends.tolist()])):
        x = grades[first:last]
        if counted is None:
            number = np.full((seats, seats), float(last - first))
            sums, squares = (np.tile(t.sum(axis=0)[:, None], seats) for t in (x, x * x))
        else:
            mask = counted[first:last]
            number, sums, squares = mask.T @ mask, x.T @ mask, (x * x).T @ mask
        products = x.T @ x
        moments[:, problem] = (
            number[one, other],
            sums[one, other],
            sums[other, one],
            squares[one, other],
            squares[other, one],
            products[one, other],
        )
    return moments


def correlations(moments: Floats) -> Floats:
    """Mean over pairs of Pearson's correlation, from moments [6, …, P]: [1] or [R].

    Pairs with fewer than two answers, or one of whom graded all alike, are left out; NaN where none
    is left.
    """
    number, x, y, xx, yy, xy = moments if moments.ndim == 3 else moments[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = xx / number - (x / number) ** 2, yy / number - (y / number) ** 2
        covariance = xy / number - x * y / number**2
        found = np.clip(covariance / np.sqrt(one * other), -1.0, 1.0)
    defined = (number >= 2.0) & (one > _ALIKE) & (other > _ALIKE)
    total = np.where(defined, found, 0.0).sum(axis=1)
    count = defined.sum(axis=1)
    means: Floats = np.full(len(total), np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means
