"""Philox over arrays of counters: random words by place, not by turn.

Philox4x32-10 is for what is drawn by the million; Philox4x64-10, which is NumPy's, for the first
words of many streams.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Words = NDArray[np.uint64]

ROUNDS = 10
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_BLOCK = 1 << 12
"""Counters taken at a time, for a processor's cache; no result depends on it."""


def philox4x32(counters: ArrayLike, key: tuple[int, int]) -> NDArray[np.uint32]:
    """Four random words of 32 bits for each counter.

    Parameters
    ----------
    counters
        uint32 [4, N], four words each; equal counters give equal words.
    key
        Two words, each below 2^32.

    Returns
    -------
    uint32 [4, N].

    Raises
    ------
    ValueError
        If a counter has not four words, or a word of the key is no number of 32 bits.

    Source
    ------
    Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
    """
    given = np.asarray(counters, dtype=np.uint32)
    if given.ndim != 2 or len(given) != 4:
        raise ValueError(f"counters: expected shape [4, N], got {given.shape}")
    if not all(0 <= word < 2**32 for word in key):
        raise ValueError(f"key: expected two words of 32 bits, got {key}")
    words = np.empty_like(given)
    scratch = np.empty((2, _BLOCK), dtype=np.uint64)
    for start in range(0, given.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        block = given[:, part].astype(np.uint64)
        _rounds32(block, key, scratch[:, : block.shape[1]])
        words[:, part] = block
    return words


def philox4x64(counter: tuple[int, int, int, int], keys: ArrayLike) -> Words:
    """Four random words of 64 bits for a counter under each of some keys.

    Parameters
    ----------
    counter
        Four words, each below 2^64.
    keys
        uint64 [2, N], two words each.

    Returns
    -------
    uint64 [4, N].

    Source
    ------
    As of `philox4x32`.
    """
    first, second = np.array(keys, dtype=np.uint64)
    a, b, c, d = (np.full(first.shape, word, dtype=np.uint64) for word in counter)
    for _ in range(ROUNDS):
        (left, low), (right, below) = (
            _product(a, 0xD2E7470EE14C6C93),
            _product(c, 0xCA5A826395121157),
        )
        a, b, c, d = right ^ b ^ first, below, left ^ d ^ second, low
        # What a round adds to the key wraps around.
        first = first + np.uint64(0x9E3779B97F4A7C15)
        second = second + np.uint64(0xBB67AE8584CAA73B)
    return np.stack([a, b, c, d])


def _rounds32(c: Words, key: tuple[int, int], scratch: Words) -> None:
    """Ten rounds in place, on words [4, N] below 2^32; scratch is [2, N]."""
    left, right = scratch
    first, second = key
    for _ in range(ROUNDS):
        np.multiply(c[0], np.uint64(0xD2511F53), out=left)
        np.multiply(c[2], np.uint64(0xCD9E8D57), out=right)
        np.right_shift(right, _HALF, out=c[0])
        np.bitwise_xor(c[0], c[1], out=c[0])
        np.bitwise_xor(c[0], np.uint64(first), out=c[0])
        np.right_shift(left, _HALF, out=c[2])
        np.bitwise_xor(c[2], c[3], out=c[2])
        np.bitwise_xor(c[2], np.uint64(second), out=c[2])
        np.bitwise_and(right, _LOW, out=c[1])
        np.bitwise_and(left, _LOW, out=c[3])
        first = (first + 0x9E3779B9) & 0xFFFFFFFF
        second = (second + 0xBB67AE85) & 0xFFFFFFFF


def _product(words: Words, multiplier: int) -> tuple[Words, Words]:
    """High and low 64 bits of a product, by halves."""
    high, low = np.uint64(multiplier >> 32), np.uint64(multiplier & 0xFFFFFFFF)
    top, bottom = words >> _HALF, words & _LOW
    middle = top * low + ((bottom * low) >> _HALF)
    other = bottom * high + (middle & _LOW)
    return top * high + (middle >> _HALF) + (other >> _HALF), words * np.uint64(multiplier)
