"""Named random streams: every draw is keyed by what it is for, never by who asks or when."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib

import numpy as np

Coordinate = int | str


def philox_key(seed: int, purpose: str, *coordinates: Coordinate) -> tuple[int, int]:
    """Two 64-bit words that name one stream of random numbers.

    Parameters
    ----------
    seed
        The run's seed, any integer ≥ 0.
    purpose
        What the numbers are for, such as ``"answer"`` or ``"births"``.
    coordinates
        Where in the run: generation, agent, problem, … Integers and strings only, so that equal
        coordinates give equal keys in every process (Python's ``hash`` of a string does not).

    Raises
    ------
    ValueError
        If the seed is negative.
    TypeError
        If a coordinate is neither an integer nor a string.

    Source
    ------
    BLAKE2b as the key schedule of Philox (Salmon et al. 2011, "Parallel random numbers: as easy
    as 1, 2, 3").
    """
    if seed < 0:
        raise ValueError(f"seed: expected an integer ≥ 0, got {seed}")
    digest = hashlib.blake2b(digest_size=16, person=b"mgptn.stream")
    for part in (seed, purpose, *coordinates):
        if isinstance(part, bool) or not isinstance(part, (int, str, np.integer)):
            raise TypeError(f"coordinate: expected an integer or a string, got {part!r}")
        text = f"s{part}" if isinstance(part, str) else f"i{int(part)}"
        encoded = text.encode()
        digest.update(len(encoded).to_bytes(4, "little") + encoded)
    words = digest.digest()
    return int.from_bytes(words[:8], "little"), int.from_bytes(words[8:], "little")


def stream(seed: int, purpose: str, *coordinates: Coordinate) -> np.random.Generator:
    """The generator of the stream that `philox_key` names; equal names give equal draws."""
    return keyed_generator(philox_key(seed, purpose, *coordinates))


def keyed_generator(key: tuple[int, int]) -> np.random.Generator:
    """A Philox4x64-10 generator at the start of the stream with this key."""
    return np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64)))
