"""Tensors that are used again in the same shape: the most recently used ones, few enough to hold.

On a GPU what was recorded works on the very memory that it was recorded with, so that whoever has
a record of a buffer is told when the buffer goes.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch

Tensors = tuple[torch.Tensor, ...]


class Buffers:
    """Tensors by what they are for.

    Parameters
    ----------
    limit
        How many are held.
    going
        Told of each tensor before it is let go.
    """

    def __init__(self, limit: int, going: Callable[[torch.Tensor], None] | None = None) -> None:
        self._limit = limit
        self._going = going
        self._held: OrderedDict[Hashable, Tensors] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable, make: Callable[[], Tensors]) -> Tensors:
        """The tensors of a key, made where there are none, after the longest unused are let go."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        while len(self._held) >= self._limit:
            _, gone = self._held.popitem(last=False)
            if self._going is not None:
                for tensor in gone:
                    self._going(tensor)
            del gone
        made = self._held[key] = make()
        return made
