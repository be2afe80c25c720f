"""Ratings from comparisons: Bradley–Terry strengths."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

_ITERATIONS = 10_000


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
    count, group = scipy.sparse.csgraph.connected_components(
        table > 0.0, directed=True, connection="strong"
    )
    if count > 1:
        parts = [np.flatnonzero(group == part).tolist() for part in range(count)]
        parts.sort()
        raise ValueError(
            "wins: expected a chain of wins from every player to every other, got the "
            f"unconnected groups {parts}"
        )
    if table.shape[0] == 1:
        return np.zeros(1)
    import choix

    # One weight more or less for all changes nothing but the solver's scaling.
    scaled = table / table.max()
    strengths: NDArray[np.float64] = choix.ilsr_pairwise_dense(scaled, max_iter=_ITERATIONS)
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
