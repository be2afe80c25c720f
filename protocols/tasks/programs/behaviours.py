"""Everything that programs of few words can compute, each with its shortest program: enumerated.

A behaviour is the results of two inputs for all hundred pairs of digits. Programs without jumps
back are walked word by word, and those that have come to the same contents are walked on once;
programs that begin again can end only where the word before skips that, and are run one by one.

Dimensions: B behaviours, P pairs of inputs, L words of the longest program.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import Codes, Integers, codes, mix
from mgptn.protocols.tasks.programs.language import AGAIN, ALPHABET, NOTHING, SKIP, VALUES, WORDS
from mgptn.protocols.tasks.programs.machine import (
    FAILED,
    NONE,
    Results,
    States,
    contents,
    run_all,
    tables,
)

PAIRS = np.array(list(product(range(VALUES), repeat=2)), dtype=np.int64)
"""Every pair of inputs, [P, 2], in order: the pair (a, b) is row 10·a + b; b is on top."""

TRIED = 6
"""Pairs on which a program that begins again has to end before it is run on the others."""

STEPWISE = WORDS.replace(AGAIN, "")


@dataclass(frozen=True, slots=True)
class Behaviours:
    """What programs of at most so many words can compute, shortest first.

    Attributes
    ----------
    results
        int8 [B, P], all of them digits: a program without a result for some pair is left out.
    programs
        uint8 [B, L]: the first of the shortest programs, filled up with `.`.
    sizes
        int64 [B]: words of that.
    keys
        uint64 [B]: a number for each, by its results alone.
    """

    results: Results
    programs: Codes
    sizes: Integers
    keys: npt.NDArray[np.uint64]

    def of_size(self, size: int) -> slice:
        """The rows of those whose shortest programs have so many words."""
        first, last = np.searchsorted(self.sizes, [size, size + 1]).tolist()
        return slice(first, last)


@cache
def pairs() -> States:
    """All pairs of inputs as contents of the stack, int16 [P]."""
    return contents(PAIRS)


@cache
def behaviours(most: int) -> Behaviours:
    """All behaviours of programs of at most `most` words, which is few: 4, say."""
    found: list[tuple[Results, Codes]] = []
    seen = np.zeros(0, dtype=np.uint64)
    for size, straight in enumerate(_walked(most), start=1):
        results, programs = straight
        beginning_again = _that_begin_again(size)
        for tried in (TRIED, len(PAIRS)):  # few of them come to an end
            further, _ = run_all(beginning_again, pairs()[:tried])
            ends = (further != NONE).all(axis=1)
            beginning_again, further = beginning_again[ends], further[ends]
        results = np.vstack([results, further])
        programs = np.vstack([programs, beginning_again])
        total = (results != NONE).all(axis=1)
        results, programs = results[total], programs[total]
        keys = _keys(results)
        _, first = np.unique(keys, return_index=True)
        first = np.sort(first)
        new = first[~np.isin(keys[first], seen)]
        seen = np.concatenate([seen, keys[new]])
        fill = ((0, 0), (0, most - size))
        found.append((results[new], np.pad(programs[new], fill, constant_values=ord(NOTHING))))
    sizes = np.repeat(np.arange(1, most + 1), [len(one) for one, _ in found])
    return Behaviours(
        np.vstack([one for one, _ in found]), np.vstack([other for _, other in found]), sizes, seen
    )


def _walked(most: int) -> list[tuple[Results, Codes]]:
    """Of each size, results of programs that do not begin again, one of each that come to the same
    contents for every pair, as none shorter does.
    """
    after, top = tables()
    # Where the next word is to be skipped, what is on the stack is told as a negative number.
    state, programs = pairs()[None], np.zeros((1, 0), dtype=np.uint8)
    seen = _keys(state)
    levels = []
    for _ in range(most):
        grown = np.concatenate([_extended(state, word, after, top) for word in STEPWISE])
        words = np.repeat(codes(STEPWISE), len(state))
        written = np.hstack([np.tile(programs, (len(STEPWISE), 1)), words[:, None]])
        alive = (np.where(grown < 0, -1 - grown, grown) != FAILED).all(axis=1)
        grown, written = grown[alive], written[alive]
        keys = _keys(grown)
        _, first = np.unique(keys, return_index=True)
        new = np.sort(first)
        new = new[~np.isin(keys[new], seen)]
        seen = np.concatenate([seen, keys[new]])
        state, programs = grown[new], written[new]
        levels.append((top[np.where(state < 0, -1 - state, state)], programs))
    return levels


def _extended(state: States, word: str, after: States, top: Results) -> States:
    """Contents [·, P] after one more word."""
    skipped = state < 0
    held = np.where(skipped, -1 - state, state)
    moved = after[ALPHABET.index(word)][held]
    if word == SKIP:
        moved = np.where((top[held] == 0) & (moved != FAILED), -1 - moved, moved)
    extended: States = np.where(skipped, held, moved)
    return extended


def _that_begin_again(size: int) -> Codes:
    """Programs of a size that begin again and can end: of those, the word before skips it."""
    found = {
        "".join(others[:place]) + SKIP + AGAIN + "".join(others[place:])
        for others in product(WORDS, repeat=max(0, size - 2))
        for place in range(size - 1)
    }
    if size < 2:
        return np.zeros((0, size), dtype=np.uint8)
    return np.array([codes(program) for program in sorted(found)])


def _keys(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """A well-mixed number for each row, so that rows can be told apart by it: uint64 [·].

    Of a million rows, two that differ have the same with a probability of 3e-8.
    """
    with np.errstate(over="ignore"):
        odd = mix(np.arange(rows.shape[1], dtype=np.uint64)) | np.uint64(1)
        mixed = mix(rows.astype(np.int64).astype(np.uint64) ^ odd)
        keys: npt.NDArray[np.uint64] = mix((mixed * odd).sum(axis=1, dtype=np.uint64))
    return keys
