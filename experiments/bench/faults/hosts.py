"""What simulated hosts reply: a pure function of the tile, and of the numbers that it is sent.

There is no model. Replies are drawn by a hash of what they are replies to, so that whoever runs a
tile, and however often, gives the same; and one to whom other weights are sent gives another.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from mgptn.agents.learning.numbers import hash_of
from mgptn.agents.requests import (
    Generate,
    Generated,
    Learn,
    Learned,
    Score,
    Scored,
    Tile,
    TileReply,
    Tokens,
)

LEAST_BYTES = 512
"""Of numbers that are learned: several times as many, so that a write may come short."""


class PureHosts:
    """Replies to tiles, remembered from one schedule to the next.

    Parameters
    ----------
    letters
        Tokens that answers are made of.
    """

    def __init__(self, letters: Tokens) -> None:
        self._letters = letters
        self._known: dict[tuple[Tile, bytes], tuple[Generated | Scored | Learned, ...]] = {}

    def __call__(self, tile: Tile) -> TileReply:
        """The reply to a tile.

        Raises
        ------
        ValueError
            If the numbers that it is sent are not those that it names.
        """
        worn = hashlib.blake2b(digest_size=32)
        for content in tile.contents():
            assert tile.supply is not None
            numbers = tile.supply(content)
            if hash_of(numbers) != content:
                raise ValueError(f"expected the numbers {content}, got others")
            worn.update(numbers)
        key = tile, worn.digest()
        if key not in self._known:
            self._known[key] = tuple(self._reply(tile, r, key[1]) for r in tile.requests)
        return TileReply(self._known[key])  # type: ignore[arg-type]

    def _reply(self, tile: Tile, request: object, worn: bytes) -> Generated | Scored | Learned:
        content = f"{tile.weights}{request!r}".encode()
        drawn = hashlib.shake_256(worn + content)
        if isinstance(request, Generate):
            return self._generated(request, drawn.digest(64))
        if isinstance(request, Score):
            return _scored(request.options, drawn.digest(8 * len(request.options)))
        assert isinstance(request, Learn)
        return Learned(drawn.digest(LEAST_BYTES * (1 + drawn.digest(1)[0] % 24)), (1.0, 0.5))

    def _generated(self, request: Generate, drawn: bytes) -> Generated:
        length = 1 + drawn[0] % min(2, request.max_tokens)
        tokens = tuple(self._letters[one % len(self._letters)] for one in drawn[1 : 1 + length])
        return Generated(tokens, "stop", (-0.5,) * (length + 1))


def _scored(options: Sequence[Tokens], drawn: bytes) -> Scored:
    weights = [1 + int.from_bytes(drawn[8 * i : 8 * i + 4], "little") for i in range(len(options))]
    whole = sum(weights)
    return Scored(tuple(math.log(weight / whole) for weight in weights))
