"""Named random streams: every draw is keyed by what it is for, never by who asks or when."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import struct
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from mgptn.population.draws.philox import philox4x32, philox4x64
from mgptn.population.records.arrays import Floats

Coordinate = int | str

_WORDS = struct.Struct("<QQ")

_AT_ONCE = 1 << 14
"""Elements taken at a time, for a processor's cache; no result depends on it."""


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
    return PhiloxKeys(seed, purpose, *coordinates).at()


class PhiloxKeys:
    """Keys of streams whose names begin alike; `at` what is left of one has the name's key.

    Parameters and errors are those of `philox_key`.
    """

    def __init__(self, seed: int, purpose: str, *coordinates: Coordinate) -> None:
        if seed < 0:
            raise ValueError(f"seed: expected an integer ≥ 0, got {seed}")
        name = b"".join(map(_encoded, (seed, purpose, *coordinates)))
        self._begun: hashlib.blake2b = hashlib.blake2b(name, digest_size=16, person=b"mgptn.stream")

    def under(self, *coordinates: Coordinate) -> PhiloxKeys:
        """Keys of the names that go on so."""
        further = copy(self)
        further._begun = self._named(coordinates)
        return further

    def at(self, *coordinates: Coordinate) -> tuple[int, int]:
        """The key of the name that ends so."""
        first, second = _WORDS.unpack(self._named(coordinates).digest())
        return first, second

    def _named(self, coordinates: tuple[Coordinate, ...]) -> hashlib.blake2b:
        name: hashlib.blake2b = self._begun.copy()
        for part in coordinates:
            name.update(_encoded(part))
        return name


def philox_keys(
    seed: int, purpose: str, *coordinates: Coordinate, count: int
) -> NDArray[np.uint64]:
    """The keys of many streams, whose last coordinate is 0 … count − 1, uint64 [count, 2].

    Row i is ``philox_key(seed, purpose, *coordinates, i)``.
    """
    name = b"".join(map(_encoded, (seed, purpose, *coordinates)))
    start = hashlib.blake2b(name, digest_size=16, person=b"mgptn.stream")
    keys = []
    for i in range(count):
        named = start.copy()
        named.update(_framed(f"i{i}"))
        keys.append(named.digest())
    return np.frombuffer(b"".join(keys), dtype="<u8").reshape(count, 2)


def first_uniforms(keys: NDArray[np.uint64]) -> Floats:
    """The first four uniform numbers of the streams with some keys, uint64 [N, 2].

    Returns
    -------
    float64 [4, N]: column i is ``keyed_generator(keys[i]).random(4)``.
    """
    # NumPy counts before it draws, and makes a number of a word's upper 53 bits.
    drawn = philox4x64((1, 0, 0, 0), keys.T) >> np.uint64(11)
    numbers: Floats = np.multiply(drawn, 2.0**-53, dtype=np.float64)
    return numbers


def stream(seed: int, purpose: str, *coordinates: Coordinate) -> np.random.Generator:
    """The generator of the stream that `philox_key` names; equal names give equal draws."""
    return keyed_generator(philox_key(seed, purpose, *coordinates))


def uniforms(key: tuple[int, int], *coordinates: NDArray[np.integer[Any]]) -> Floats:
    """Four uniform numbers in [0, 1) for each element of some arrays, whatever their order.

    An element's coordinates are the counter of a Philox4x32-10 stream, so that its numbers depend
    on them and the key alone: not on what else is drawn, nor on how the work is cut up.

    Parameters
    ----------
    key
        As of `philox_key`; the first word counts.
    coordinates
        Integers ≥ 0, [N] each, where in the stream: an agent's id below 2^64, then at most two
        below 2^32.

    Returns
    -------
    float64 [4, N], multiples of 2^−32.

    Raises
    ------
    ValueError
        If there is no coordinate, or more than three.
    """
    if not 1 <= len(coordinates) <= 3:
        raise ValueError(f"coordinates: expected one to three arrays, got {len(coordinates)}")
    drawn = np.empty((4, len(coordinates[0])))
    words = key[0] & (2**32 - 1), key[0] >> 32
    for start in range(0, drawn.shape[1], _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        agents, *others = (coordinate[part] for coordinate in coordinates)
        counters = np.zeros((4, len(agents)), dtype=np.uint32)
        counters[0], counters[1] = agents & (2**32 - 1), agents >> 32
        for place, other in enumerate(others, start=2):
            counters[place] = other
        np.multiply(philox4x32(counters, words), 2.0**-32, out=drawn[:, part])
    return drawn


@lru_cache(maxsize=1 << 12, typed=True)  # True is no 1
def _encoded(part: Coordinate) -> bytes:
    """A part of a stream's name, after its length."""
    if isinstance(part, bool) or not isinstance(part, (int, str, np.integer)):
        raise TypeError(f"coordinate: expected an integer or a string, got {part!r}")
    return _framed(f"s{part}" if isinstance(part, str) else f"i{int(part)}")


def _framed(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(4, "little") + encoded


def keyed_generator(key: tuple[int, int]) -> np.random.Generator:
    """A Philox4x64-10 generator at the start of the stream with this key."""
    # NumPy documents that any ISeedSequence will do; its types do not.
    return np.random.Generator(np.random.Philox(_Key(key)))  # type: ignore[arg-type]


class _Key(ISeedSequence):
    """Gives a generator its key as what would be made of a seed.

    ``Philox(key=…)`` has the same state, and takes five times as long: beside the key it asks the
    system for a seed of which nothing is used.
    """

    def __init__(self, words: tuple[int, int]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[np.uint64]:
        return np.array(self._words, dtype=np.uint64)
