"""Fitness from comparisons: strengths of agents whose answers were held against each other."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import scipy

from mgptn.population.judging.ratings import bradley_terry
from mgptn.population.records.arrays import Floats
from mgptn.population.records.matches import Matches


def rated_fitness(scores: Floats, matches: Matches) -> Floats:
    """Each agent's expected score against a rival drawn from the others, by Bradley and Terry.

    A score is the share of a game that an author won against its first partner. Beside its games
    every agent has one drawn game, spread evenly over the others, so that strengths are finite and
    agents that never met can be compared.

    Parameters
    ----------
    scores
        float64 [A] in [0, 1], NaN for games that nobody decided.
    matches
        Of A answers, with at least one partner.

    Returns
    -------
    float64 [M] in (0, 1), mean 1/2.

    Raises
    ------
    ValueError
        If the matches have no partners.

    Source
    ------
    Bradley & Terry 1952, "Rank analysis of incomplete block designs: the method of paired
    comparisons".
    """
    size = len(matches.authors)
    if not matches.partners.size:
        raise ValueError("matches: expected partners to compare authors with, got none")
    authors = np.arange(len(matches)) // matches.problems
    rivals = matches.partners[:, 0].astype(np.int64)
    decided = ~np.isnan(scores)
    wins = np.full((size, size), 0.5 / (size - 1))
    np.add.at(wins, (authors[decided], rivals[decided]), scores[decided])
    np.add.at(wins, (rivals[decided], authors[decided]), 1.0 - scores[decided])
    np.fill_diagonal(wins, 0.0)
    strengths = bradley_terry(wins)
    against = scipy.special.expit(strengths[:, None] - strengths[None, :])
    expected: Floats = (against.sum(axis=1) - 0.5) / (size - 1)  # but against itself
    return expected
