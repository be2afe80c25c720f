"""The places of tokens: counted from a text's start, or from the last of some separators.

A model that counts from separators says so in its configuration: under ``mgptn``, ``restarts``
are tokens whose place is 0. So the n-th column of a sum and the n-th digit of its answer have the
same place.

Dimensions: N rows, W tokens of a row.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mgptn.agents.requests import Tokens

Whole = NDArray[np.int64]


class Places:
    """How a model counts the places of tokens.

    Parameters
    ----------
    restarts
        Tokens at which it begins anew; none where it counts from a text's start.
    """

    def __init__(self, restarts: Tokens = ()) -> None:
        self.restarts = restarts

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Places:
        """As a checkpoint's configuration says."""
        return cls(tuple(config.get("mgptn", {}).get("restarts", ())))

    def after(self, prefix: Tokens) -> int:
        """The place of what follows a prefix, if it is no separator."""
        for back, token in enumerate(reversed(prefix), start=1):
            if token in self.restarts:
                return back
        return len(prefix)

    def of_rows(self, tokens: Whole, first: int) -> Whole:
        """Places int64 [N, W] of tokens int64 [N, W], the first of each at a place."""
        columns = np.arange(tokens.shape[1])
        counted = np.broadcast_to(first + columns, tokens.shape)
        if not self.restarts:
            return counted
        begun = np.where(np.isin(tokens, self.restarts), columns, -1)
        begun = np.maximum.accumulate(begun, axis=1)
        return np.where(begun < 0, counted, columns - begun)

    def next(self, tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Places int64 [N] of tokens [N] that follow others at places int64 [N]."""
        restarts = torch.tensor(self.restarts, device=tokens.device)
        return torch.where(torch.isin(tokens, restarts), 0, places + 1)
