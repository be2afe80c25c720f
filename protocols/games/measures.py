"""How well moves are played, beside exact play and the corpus that they were learned from.

Dimensions: N positions, K moves.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import Flags

Numbers = npt.NDArray[np.float64]


def regret(chances: Numbers, wins: Flags) -> Numbers:
    """How probably a won game is given away by one move, float64 [N]: 0 is exact play.

    Against exact play from there on, a move is worth a win or nothing. Of lost positions, where
    nothing can be given away, it is NaN. What is missing of the chances is taken for no legal move.
    """
    kept = (chances * wins).sum(axis=1)
    return np.where(wins.any(axis=1), 1.0 - kept, np.nan)


def greedy(chances: Numbers) -> Numbers:
    """The chances of who always makes the likeliest move, ties alike."""
    best = (chances == chances.max(axis=1, keepdims=True)) & (chances > 0.0)
    shares: Numbers = best / np.maximum(best.sum(axis=1, keepdims=True), 1)
    return shares


def log_loss(chances: Numbers, corpus: Numbers) -> Numbers:
    """Mean −log of the chance of a corpus's moves, in nats, float64 [N]; infinite where it is 0.

    Of the corpus's own chances it is the entropy: what the exact Bayes predictor loses, and nobody
    loses less.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(corpus > 0.0, -corpus * np.log(chances), 0.0)
    return np.asarray(each.sum(axis=1))


def predictor_gap(chances: Numbers, corpus: Numbers) -> Numbers:
    """The optimal predictor gap: log-loss above the exact Bayes predictor's, nats, float64 [N]."""
    gap: Numbers = log_loss(chances, corpus) - log_loss(corpus, corpus)
    return gap
