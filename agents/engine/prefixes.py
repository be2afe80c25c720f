"""The keys and values of prefixes: computed block by block, remembered by content, within a bound.

A prefix is computed in blocks of a fixed number of tokens from its start, the last one padded. So
a token's keys and values are the same bits whether its block was full or not, whatever of it was
known before, and whatever has been forgotten since: a token has the same place in the same shape
after the same past, and what stands in other places of a block does not reach it.

Dimensions: A layers, G heads of keys and values, P tokens of a prefix, C tokens of a block, D
width of a head.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from mgptn.agents.engine.places import Places, Whole
from mgptn.agents.layers.rows import Rows
from mgptn.agents.requests import Tokens, Work, common

BLOCK = {"cpu": 64, "cuda": 256}
"""Tokens of a block: enough for a device's matrix products to be fast."""

Model = tuple[str, str]
"""Hash of the weights, and digest of what became of them."""

FIXED = Rows()
"""Blocks are computed whole."""

Key = tuple[bytes, Tokens]
"""Hash of what stands before a block, and the block's own tokens."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Keys and values [A, 2, G, n ≤ C, D] of a block's tokens."""

    state: torch.Tensor

    @property
    def bytes(self) -> int:
        return self.state.nbytes


class Prefixes:
    """The most recently used blocks of prefixes, within a bound of bytes.

    Parameters
    ----------
    compute
        Keys and values [A, 2, G, C, D] of tokens int64 [1, C] at positions [1, C], after a past
        [A, 2, G, ·, D] or None.
    places
        How the model counts places.
    limit
        Bytes. Beside them, the prefix in use is held whole.
    rows
        How many positions are computed where some are needed.
    """

    def __init__(
        self,
        compute: Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor],
        places: Places,
        limit: int,
        device: torch.device,
        rows: Rows = FIXED,
    ) -> None:
        self.limit = limit
        self._compute = compute
        self._device = device
        self._size = BLOCK[device.type]
        self._places = places
        self._rows = rows
        self.forget()

    def forget(self) -> None:
        """Empty the cache, as for a measurement that starts cold."""
        self._held = 0
        self._blocks: OrderedDict[Key, _Block] = OrderedDict()
        self._siblings: dict[bytes, list[Tokens]] = {}
        self._last: tuple[Model, Tokens, torch.Tensor] | None = None

    def get(self, tokens: Tokens, model: Model, work: Work) -> torch.Tensor | None:
        """Keys and values [A, 2, G, P, D] of a prefix, None of an empty one; `work` is counted.

        Parameters
        ----------
        model
            Whose they are: what one model has computed is never another's.
        """
        if not tokens:
            return None
        if self._last is not None and self._last[:2] == (model, tokens):
            return self._last[2]
        blocks: list[torch.Tensor] = []
        keys = list(self._keys(tokens, model))
        counted = self._places.of_rows(np.array([tokens]), 0)[0]
        for key in keys:
            blocks.append(self._block(key, counted, blocks, work))
        # Of what is used together, a beginning outlives what follows it.
        for key in reversed(keys):
            if key in self._blocks:
                self._blocks.move_to_end(key)
        self._shrink(work)
        whole = torch.cat(blocks, dim=3)
        self._last = (model, tokens, whole)
        return whole

    def _keys(self, tokens: Tokens, model: Model) -> Iterator[Key]:
        before = _hashed(b"", repr(model).encode())
        for start in range(0, len(tokens), self._size):
            own = tokens[start : start + self._size]
            yield before, own
            before = _hashed(before, np.array(own, dtype=np.int64).tobytes())

    def _block(
        self, key: Key, counted: Whole, past: list[torch.Tensor], work: Work
    ) -> torch.Tensor:
        """A block's keys and values, and in the cache."""
        before, own = key
        known = self._blocks.get(key)
        if known is not None:
            return known.state
        siblings = self._siblings.get(before, [])
        # In order, what has the most in common with a block stands beside it.
        place = bisect_left(siblings, own)
        beside = siblings[max(0, place - 1) : place + 1]
        shared, longest = max(((common(own, other), other) for other in beside), default=(0, ()))
        if shared == len(own):  # the beginning of a longer block
            self._blocks.move_to_end((before, longest))
            return self._blocks[before, longest].state[:, :, :, :shared].contiguous()
        room = self._room(len(own))
        work.tokens_computed += len(own) - shared
        work.tokens_padded += room - (len(own) - shared)
        tokens = torch.zeros(1, room, dtype=torch.long)
        tokens[0, : len(own)] = torch.tensor(own)
        # Padding repeats the last position: a model may have no later one.
        start = len(past) * self._size
        positions = torch.from_numpy(
            counted[start + np.minimum(np.arange(room), len(own) - 1)]
        ).unsqueeze(0)
        state = self._compute(
            tokens.to(self._device),
            positions.to(self._device),
            torch.cat(past, dim=3) if past else None,
        )[:, :, :, : len(own)].contiguous()
        if 0 < shared == len(longest):  # the new block begins with all of it
            self._drop((before, longest))
        self._blocks[key] = _Block(state)
        insort(self._siblings.setdefault(before, []), own)
        self._held += state.nbytes
        return state

    def _room(self, tokens: int) -> int:
        """Positions in which a block of so many tokens is computed: as many as need be, where the
        bits of those that are there do not show how many they are."""
        return self._rows.block(self._size, tokens)

    def _shrink(self, work: Work) -> None:
        while self._held > self.limit and self._blocks:
            self._drop(next(iter(self._blocks)))
            work.prefix_evictions += 1

    def _drop(self, key: Key) -> None:
        before, own = key
        self._held -= self._blocks.pop(key).bytes
        siblings = self._siblings[before]
        del siblings[bisect_left(siblings, own)]
        if not siblings:
            del self._siblings[before]


def _hashed(before: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(before + content, digest_size=16, person=b"mgptn.prefix").digest()
