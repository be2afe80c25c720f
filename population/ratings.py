"""Ratings from pairwise wins: Elo's expectation, and Bradley–Terry strengths with intervals."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import choix
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

_ITERATIONS = 10_000


class Intervals(NamedTuple):
    """Bounds of an interval for every player: low float64 [M] and high float64 [M]."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def elo_expected(difference: float) -> float:
    """Expected score of a player rated higher by a difference: 1/(1 + 10^(−d/400)).

    Parameters
    ----------
    difference
        d in Elo points; may be negative or infinite.

    Raises
    ------
    ValueError
        If the difference is NaN.

    Source
    ------
    Elo 1978, "The rating of chessplayers, past and present".
    """
    if math.isnan(difference):
        raise ValueError("difference: expected a number, got nan")
    return float(expit(difference * math.log(10.0) / 400.0))


def bradley_terry(wins: ArrayLike) -> NDArray[np.float64]:
    """Strengths that make the wins most likely: P(i beats j) = 1/(1 + exp(s_j − s_i)).

    Parameters
    ----------
    wins
        float64 [M, M], wins[i, j] times that i beat j, diagonal zero; a draw counts half a win
        for each.

    Returns
    -------
    float64 [M], natural-log strengths with mean zero; 400/ln 10 Elo points to the unit.

    Raises
    ------
    ValueError
        If wins are no such matrix, or the players fall into groups of which some never lost to,
        or never won against, the rest: then no finite strengths are most likely. The groups are
        named by their players' indices.
    RuntimeError
        If the iteration does not converge.

    Source
    ------
    Bradley & Terry 1952; Ford 1957 for the condition; Maystre & Grossglauser 2015 for choix.
    """
    table = _win_table(wins)
    count, group = connected_components(table > 0.0, directed=True, connection="strong")
    if count > 1:
        parts = [np.flatnonzero(group == part).tolist() for part in range(count)]
        parts.sort()
        raise ValueError(
            "wins: expected a chain of wins from every player to every other, got the "
            f"unconnected groups {parts}"
        )
    return _strengths(table)


def bradley_terry_intervals(
    wins: ArrayLike, rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> Intervals:
    """Intervals of Bradley–Terry strengths by the Bayesian bootstrap over comparisons.

    Every comparison gets a random weight from the exponential distribution instead of being drawn
    or left out, so that no draw loses the chain of wins that finite strengths take. Comparisons
    count as independent.

    Parameters
    ----------
    wins
        As of `bradley_terry`.
    rng
        Generator of the stream for these draws.
    draws
        Number of them, ≥ 1.
    level
        Coverage, in (0, 1).

    Returns
    -------
    Intervals (low, high), natural-log strengths relative to the mean player.

    Raises
    ------
    ValueError
        As `bradley_terry`, or if draws or level are outside their range.

    Source
    ------
    Rubin 1981, "The Bayesian bootstrap".
    """
    if draws < 1:
        raise ValueError(f"draws: expected at least 1, got {draws}")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level: expected in (0, 1), got {level}")
    table = _win_table(wins)
    centre = bradley_terry(table)
    # The sum of n exponential weights is one gamma variate of shape n.
    samples = np.stack([_strengths(rng.standard_gamma(table), centre) for _ in range(draws)])
    low, high = np.quantile(samples, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return Intervals(low, high)


def _strengths(
    table: NDArray[np.float64], start: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    if table.shape[0] == 1:
        return np.zeros(1)
    # One weight more or less for all changes nothing but the solver's scaling.
    scaled = table / table.max()
    strengths: NDArray[np.float64] = choix.ilsr_pairwise_dense(
        scaled, initial_params=start, max_iter=_ITERATIONS
    )
    return strengths


def _win_table(wins: ArrayLike) -> NDArray[np.float64]:
    table = np.asarray(wins, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.size == 0:
        raise ValueError(f"wins: expected a square matrix, got shape {table.shape}")
    if not np.all((table >= 0.0) & np.isfinite(table)):
        raise ValueError("wins: expected finite numbers ≥ 0, got a negative, NaN or infinite one")
    if table.diagonal().any():
        player = int(np.flatnonzero(table.diagonal())[0])
        raise ValueError(f"wins: expected no player against itself, got player {player}")
    return table
