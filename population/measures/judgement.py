"""Tests of two proportions, and the agreement of two judges."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from mgptn.population.intervals.shares import check_counts


def same_proportion(successes: int, trials: int, others: int, other_trials: int) -> float:
    """Probability, were two proportions equal, of counts as unlikely as these: Fisher's exact test.

    Rejecting equality where this is below α is a false alarm with probability at most α, however
    few the trials.

    Parameters
    ----------
    successes, trials, others, other_trials
        Of the one sample, and of the other.

    Raises
    ------
    ValueError
        If successes exceed trials, or one is negative.

    Source
    ------
    Fisher 1935, "The logic of inductive inference".
    """
    check_counts(successes, trials)
    check_counts(others, other_trials)
    table = np.array([[successes, trials - successes], [others, other_trials - others]])
    return float(scipy.stats.fisher_exact(table).pvalue)


def phi(first: ArrayLike, second: ArrayLike) -> float:
    """Phi coefficient of two series of yes and no: Pearson's correlation of a 2 × 2 table.

    Parameters
    ----------
    first, second
        bool [A], what each said of the same A things.

    Returns
    -------
    (n₁₁n₀₀ − n₁₀n₀₁)/√(product of the margins), in [−1, 1]; NaN where one of them always said the
    same, or there is nothing to compare: undefined, and not 0.

    Raises
    ------
    ValueError
        If the series differ in length, or are not boolean.

    Source
    ------
    Yule 1912, "On the methods of measuring association between two attributes".
    """
    one, two = np.asarray(first), np.asarray(second)
    for name, said in (("first", one), ("second", two)):
        if said.dtype != np.bool_ and said.size:
            raise ValueError(f"{name}: expected booleans, got {said.dtype}")
    if one.shape != two.shape or one.ndim != 1:
        raise ValueError(f"second: expected the first's shape {one.shape}, got {two.shape}")
    one, two = one.astype(np.bool_), two.astype(np.bool_)
    both, neither = int((one & two).sum()), int((~one & ~two).sum())
    only_one, only_two = int((one & ~two).sum()), int((~one & two).sum())
    margins = math.prod((both + only_one, both + only_two, neither + only_one, neither + only_two))
    if margins == 0:
        return math.nan
    return (both * neither - only_one * only_two) / math.sqrt(margins)
