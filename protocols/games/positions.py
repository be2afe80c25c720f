"""Nim as arrays: positions, legal moves, and which of them win.

Dimensions: N positions, H heaps, K moves: of each heap, to each number of stones that may stay.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import Flags, Integers

MOST_STONES = 9
"""Of a heap, so that a digit writes it."""

HEAP_NAMES = "abcdefgh"


def nim_sum(heaps: Integers) -> Integers:
    """The Sprague–Grundy value of positions [..., H]: who moves has lost iff it is 0.

    Source
    ------
    Bouton 1901, "Nim, a game with a complete mathematical theory".
    """
    value: Integers = np.bitwise_xor.reduce(heaps, axis=-1)
    return value


def legal(heaps: Integers) -> Flags:
    """Which moves there are in positions [N, H]: bool [N, H·9], heap by heap, by what stays."""
    stays = np.arange(MOST_STONES)
    may: Flags = stays < heaps[..., None]
    return may.reshape(len(heaps), -1)


def winning(heaps: Integers) -> Flags:
    """Which moves leave the other a lost position: bool [N, H·9]."""
    without = nim_sum(heaps)[:, None] ^ heaps
    wins = (np.arange(MOST_STONES) == without[..., None]).reshape(len(heaps), -1)
    won: Flags = wins & legal(heaps)
    return won


def play_of_the_careless(heaps: Integers, noise: float) -> npt.NDArray[np.float64]:
    """How probable each move is of a player who errs: float64 [N, H·9]; rows of no stones are 0.

    With probability `noise` it is any legal move, alike; else any that wins or, where none does,
    any legal one. This is what an exact Bayes predictor says of a corpus of such players' moves.
    """
    may, wins = legal(heaps), winning(heaps)
    best = np.where(wins.any(axis=1, keepdims=True), wins, may)
    return noise * _alike(may) + (1.0 - noise) * _alike(best)


def draw_moves(rng: np.random.Generator, chances: npt.NDArray[np.float64]) -> Integers:
    """A move of each position by its chances [N, K], int64 [N]."""
    reached = np.cumsum(chances, axis=1)
    drawn: Integers = (reached <= rng.random((len(chances), 1)) * reached[:, -1:]).sum(axis=1)
    return drawn


def after(heaps: Integers, moves: Integers) -> Integers:
    """The positions [N, H] that moves [N] lead to."""
    left = heaps.copy()
    left[np.arange(len(heaps)), moves // MOST_STONES] = moves % MOST_STONES
    return left


def _alike(flags: Flags) -> npt.NDArray[np.float64]:
    counts = flags.sum(axis=1, keepdims=True)
    shares: npt.NDArray[np.float64] = flags / np.maximum(counts, 1)
    return shares
