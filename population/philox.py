"""Philox4x32-10 over arrays of counters: random numbers by place, not by turn."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
"""The golden ratio's and √3 − 1's first 32 bits: what a round adds to the key."""

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_BLOCK = 1 << 13
"""Counters taken at a time, so that they stay in a processor's cache; no result depends on it."""


def philox4x32(counters: ArrayLike, key: tuple[int, int]) -> NDArray[np.uint32]:
    """Four random words for each counter.

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
    for start in range(0, given.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        words[:, part] = _rounds(given[:, part].astype(np.uint64), key)
    return words


def _rounds(c: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Ten rounds on counters, uint64 [4, N] below 2^32."""
    first, second = key
    for _ in range(ROUNDS):
        left, right = c[0] * MULTIPLIERS[0], c[2] * MULTIPLIERS[1]
        c[0] = (right >> _HALF) ^ c[1] ^ np.uint64(first)
        c[2] = (left >> _HALF) ^ c[3] ^ np.uint64(second)
        np.bitwise_and(right, _LOW, out=c[1])
        np.bitwise_and(left, _LOW, out=c[3])
        first = (first + KEY_STEPS[0]) & 0xFFFFFFFF
        second = (second + KEY_STEPS[1]) & 0xFFFFFFFF
    return c
