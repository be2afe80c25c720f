"""Ratings: Elo's and Weng–Lin's, game after game, and Bradley–Terry strengths with intervals."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

_ITERATIONS = 10_000


class Intervals(NamedTuple):
    """Bounds of an interval for every player: low float64 [M] and high float64 [M]."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Skills(NamedTuple):
    """Belief about every player's skill: mean float64 [M] and standard deviation float64 [M]."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


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
    return float(scipy.special.expit(difference * math.log(10.0) / 400.0))


def elo(
    games: ArrayLike,
    players: int,
    scores: ArrayLike | None = None,
    start: float = 1500.0,
    step: float = 32.0,
) -> NDArray[np.float64]:
    """Elo ratings after games in order: each player gains K·(score − expected score).

    What one gains the other loses, so the mean stays at the start. The order matters: the same
    games in another order give other ratings, the more so the larger K. Where no order is meant,
    `bradley_terry` is the rating.

    Parameters
    ----------
    games
        int64 [G, 2], G ≥ 1, indices of two players each.
    players
        M; indices are 0 … M − 1.
    scores
        float64 [G] in [0, 1], what the first player of each game scored: 1 a win, 1/2 a draw.
        None where the first always won.
    start, step
        Every player's rating before its first game, and K > 0, in Elo points.

    Returns
    -------
    float64 [M]; the start for a player without games.

    Raises
    ------
    ValueError
        If there are no games, a player is unknown or plays itself, or another argument is outside
        its range; the game is named.

    Source
    ------
    Elo 1978, "The rating of chessplayers, past and present".
    """
    pairs = np.asarray(games)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.shape[0] == 0:
        raise ValueError(f"games: expected at least one pair of players, got shape {pairs.shape}")
    if pairs.dtype.kind not in "iu":
        raise ValueError(f"games: expected whole numbers, got {pairs.dtype}")
    if not (0.0 < step < math.inf and math.isfinite(start)):
        raise ValueError(f"start, step: expected finite, step > 0, got {start} and {step}")
    points = np.ones(len(pairs)) if scores is None else np.asarray(scores, dtype=np.float64)
    if points.shape != pairs.shape[:1] or not np.all((points >= 0.0) & (points <= 1.0)):
        raise ValueError(f"scores: expected {len(pairs)} in [0, 1], got {points}")
    ratings = [float(start)] * players
    for game, ((first, second), point) in enumerate(
        zip(pairs.tolist(), points.tolist(), strict=True)
    ):
        _check_players(game, (first, second), players)
        gain = step * (point - elo_expected(ratings[first] - ratings[second]))
        ratings[first] += gain
        ratings[second] -= gain
    return np.array(ratings)


def weng_lin(
    games: Sequence[Sequence[int]],
    players: int,
    scores: Sequence[Sequence[float]] | None = None,
) -> Skills:
    """Bayesian skills after games in order, each of two or more players (Plackett–Luce model).

    Like TrueSkill it starts from N(25, (25/3)²) for everybody and narrows with every game, but
    in closed form. The order matters, as of every approximation that goes game by game.

    Parameters
    ----------
    games
        G ≥ 1 games, each the indices of two or more distinct players; the best first, unless
        there are scores.
    players
        M; indices are 0 … M − 1.
    scores
        What every player of every game scored, higher is better and equal is a draw.

    Returns
    -------
    Skills (mean, deviation). A cautious ranking is by mean − 3·deviation.

    Raises
    ------
    ValueError
        If there are no games, a player is unknown or plays itself, or scores do not fit games; the
        game is named.

    Source
    ------
    Weng & Lin 2011, "A Bayesian approximation method for online ranking"; Joshy 2024 for
    openskill.
    """
    from openskill.models import PlackettLuce

    if len(games) == 0:
        raise ValueError("games: expected at least one, got none")
    if scores is not None and len(scores) != len(games):
        raise ValueError(f"scores: expected those of {len(games)} games, got {len(scores)}")
    model = PlackettLuce()
    ratings = [model.rating() for _ in range(players)]
    for game, entrants in enumerate(games):
        _check_players(game, entrants, players)
        points = [-float(place) for place in range(len(entrants))]
        if scores is not None:
            points = [float(point) for point in scores[game]]
        if len(points) != len(entrants) or not all(map(math.isfinite, points)):
            raise ValueError(f"scores[{game}]: expected {len(entrants)} numbers, got {points}")
        rated = model.rate([[ratings[player]] for player in entrants], scores=points)
        for player, (rating,) in zip(entrants, rated, strict=True):
            ratings[player] = rating
    return Skills(np.array([r.mu for r in ratings]), np.array([r.sigma for r in ratings]))


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
    import choix

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


def _check_players(game: int, entrants: Sequence[int], players: int) -> None:
    unknown = [player for player in entrants if not 0 <= player < players]
    if unknown:
        raise ValueError(f"games[{game}]: expected players 0 to {players - 1}, got {unknown[0]}")
    if len(entrants) < 2 or len(set(entrants)) < len(entrants):
        raise ValueError(f"games[{game}]: expected two or more distinct players, got {entrants}")
