"""The language's fast interpreter: many programs on many inputs at once.

A stack of four digits has 11,111 contents, so that a word is a table from content to content, and a
step of all programs one look-up. What it computes is what `language.run` does, to the step.

Dimensions: N programs, L words of a program, C inputs, S contents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import Codes, Flags, Integers
from mgptn.protocols.tasks.programs.language import (
    AGAIN,
    ALPHABET,
    LONGEST,
    NOTHING,
    SKIP,
    STACK,
    STEPS,
    VALUES,
)

States = npt.NDArray[np.int16]
Results = npt.NDArray[np.int8]
"""Digits; −1 where nothing came out."""

NONE = -1
BEGINS = tuple((VALUES**depth - 1) // (VALUES - 1) for depth in range(STACK + 2))
"""Depth → the first content of stacks so deep; last, how many contents there are."""

FAILED = BEGINS[-1]
"""The content after which there is none."""

_END = len(ALPHABET)
_REFUSED = _END + 1
_SKIP, _AGAIN, _NOTHING = (ALPHABET.index(word) for word in (SKIP, AGAIN, NOTHING))

_Columns = list[Integers]


def _pushes(digit: int) -> Callable[[_Columns], _Columns]:
    return lambda v: [*v, np.full_like(v[0], digit)]


_RULES: dict[str, tuple[int, Callable[[_Columns], _Columns]]] = {
    **{digit: (0, _pushes(int(digit))) for digit in "0125"},
    "d": (1, lambda v: [*v, v[-1]]),
    "p": (1, lambda v: v[:-1]),
    "s": (2, lambda v: [*v[:-2], v[-1], v[-2]]),
    "o": (2, lambda v: [*v, v[-2]]),
    "r": (3, lambda v: [*v[:-3], v[-2], v[-1], v[-3]]),
    "+": (2, lambda v: [*v[:-2], (v[-2] + v[-1]) % VALUES]),
    "-": (2, lambda v: [*v[:-2], (v[-2] - v[-1]) % VALUES]),
    "*": (2, lambda v: [*v[:-2], v[-2] * v[-1] % VALUES]),
    "v": (2, lambda v: [*v[:-2], np.minimum(v[-2], v[-1])]),
    "^": (2, lambda v: [*v[:-2], np.maximum(v[-2], v[-1])]),
    "e": (2, lambda v: [*v[:-2], (v[-2] == v[-1]).astype(np.int64)]),
    "g": (2, lambda v: [*v[:-2], (v[-2] > v[-1]).astype(np.int64)]),
    "n": (1, lambda v: [*v[:-1], (v[-1] == 0).astype(np.int64)]),
    "h": (1, lambda v: [*v[:-1], v[-1] // 2]),
    SKIP: (1, lambda v: v[:-1]),
}


@cache
def tables() -> tuple[States, Results]:
    """What each character of `ALPHABET`, and an end, makes of each content, int16 [·, S + 1]; and
    what is on top of it, int8 [S + 1].
    """
    after = np.tile(np.arange(FAILED + 1, dtype=np.int16), (_REFUSED + 1, 1))
    top = np.full(FAILED + 1, NONE, dtype=np.int8)
    for depth in range(STACK + 1):
        first, last = BEGINS[depth], BEGINS[depth + 1]
        number = np.arange(last - first)
        # A column of zeros below, for what is made of nothing, so that it has a shape.
        digits = [number * 0]
        digits += [number // VALUES**place % VALUES for place in reversed(range(depth))]
        if depth:
            top[first:last] = digits[-1]
        for word, (takes, rule) in _RULES.items():
            left = rule(digits) if takes <= depth else []
            fits = 1 <= len(left) <= STACK + 1
            after[ALPHABET.index(word), first:last] = _content(left[1:]) if fits else FAILED
    return after, top


def contents(inputs: Integers) -> States:
    """Inputs [C, depth], the last one on top, as contents of a stack, int16 [C]."""
    held = _content(list(inputs.T)) if inputs.shape[1] else np.zeros(len(inputs))
    return held.astype(np.int16)


def run_all(programs: Codes, inputs: States) -> tuple[Results, npt.NDArray[np.int16]]:
    """Results int8 [N, C] of programs, and the instructions that each did, int16 [N, C].

    Parameters
    ----------
    programs
        Codes of their characters, uint8 [N, L]; what is no program has no result.
    inputs
        int16 [C], as of `contents`.
    """
    words = _read(programs)
    results = np.full((len(words), len(inputs)), NONE, dtype=np.int8)
    steps = np.zeros(results.shape, dtype=np.int16)
    jumps = ((words == _SKIP) | (words == _AGAIN)).any(axis=1)
    refused = (words == _REFUSED).any(axis=1)
    for kind, way in ((~jumps, _run_straight), (jumps, _run_winding)):
        rows = np.flatnonzero(kind & ~refused)
        if rows.size:
            results[rows], steps[rows] = way(words[rows], inputs)
    return results, steps


def passing(programs: Codes, inputs: States, expected: Results, first: int = 6) -> Flags:
    """Which programs have the expected results, int8 [N, C], on all inputs, bool [N].

    Parameters
    ----------
    first
        Inputs that are tried on all, before the others on those that pass.
    """
    found, _ = run_all(programs, inputs[:first])
    right: Flags = (found == expected[:, :first]).all(axis=1)
    left = np.flatnonzero(right)
    if len(inputs) > first and left.size:
        found, _ = run_all(programs[left], inputs[first:])
        right[left] = (found == expected[left, first:]).all(axis=1)
    return right


def _run_straight(words: npt.NDArray[np.uint8], inputs: States) -> tuple[Results, States]:
    """Programs that neither skip nor begin again: a look-up a word."""
    after, top = tables()
    flat, width = after.ravel(), after.shape[1]
    state = np.broadcast_to(inputs, (len(words), len(inputs)))
    done = np.zeros(state.shape, dtype=np.int16)
    for column in words.T:
        done += (column != _NOTHING)[:, None] & (state != FAILED)
        state = flat[column.astype(np.int64)[:, None] * width + state]
    return top[state], done


def _run_winding(words: npt.NDArray[np.uint8], inputs: States) -> tuple[Results, States]:
    """Programs with jumps: each run has a place of its own, and those that end are left out."""
    after, top = tables()
    flat, width = after.ravel(), after.shape[1]
    count, length = words.shape
    # A skip may lead over the last word: two ends stand behind it.
    code = np.pad(words, ((0, 0), (0, 2)), constant_values=_END).ravel().astype(np.int64)
    results = np.full(count * len(inputs), NONE, dtype=np.int8)
    steps = np.zeros(results.shape, dtype=np.int16)
    run = np.arange(len(results))
    begin = run // max(1, len(inputs)) * (length + 2)
    place, state = begin.copy(), np.tile(inputs, count)
    done = np.zeros(len(run), dtype=np.int16)
    while run.size:
        word = code[place]
        counts = (word != _NOTHING) & (word != _END)
        over = counts & (done == STEPS)
        done += counts & ~over
        skips = (word == _SKIP) & (top[state] == 0)
        state = flat[word * width + state]
        place = np.where(word == _AGAIN, begin, place + 1 + skips)
        ended = over | (word == _END) | (state == FAILED)
        if ended.any():
            out = np.flatnonzero(ended)
            steps[run[out]] = done[out]
            results[run[out]] = np.where(over[out], NONE, top[state[out]])
            left = np.flatnonzero(~ended)
            run, place, begin = run[left], place[left], begin[left]
            state, done = state[left], done[left]
    shape = (count, len(inputs))
    return results.reshape(shape), steps.reshape(shape)


def _read(programs: Codes) -> npt.NDArray[np.uint8]:
    """Characters as their places in `ALPHABET`; all of a program that is too long are refused."""
    known = np.full(256, _REFUSED, dtype=np.uint8)
    known[np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)] = range(len(ALPHABET))
    if programs.shape[1] > LONGEST:
        return np.full((len(programs), 1), _REFUSED, dtype=np.uint8)
    read: npt.NDArray[np.uint8] = known[programs]
    return read


def _content(digits: _Columns) -> Integers:
    """Columns of digits, the last one on top, as contents."""
    number: Integers = np.zeros(digits[0].shape if digits else (), dtype=np.int64)
    for column in digits:
        number = number * VALUES + column
    content: Integers = number + BEGINS[len(digits)]
    return content
