"""Reading the rows of a tile: tokens as tensors of a fixed width, one batch of rows at a time.

Dimensions: N rows, R rows of a batch, the last of which may have fewer, W tokens of a row, P tokens
of the prefix, I places of a row whose logits are read, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch

from mgptn.agents.engine.clock import Clock
from mgptn.agents.engine.forward import Forward
from mgptn.agents.requests import States, Tokens, Work


@dataclass(frozen=True, slots=True)
class Read:
    """A batch of rows that has been read.

    Attributes
    ----------
    first, count
        Which of the rows they are.
    logits
        [R · I, V]; of rows beyond `count`, of no consequence.
    state
        [A, 2, R, G, W, D], keys and values.
    hidden
        [layers, R, places, E], hidden states, if they are asked for.
    """

    first: int
    count: int
    logits: torch.Tensor
    state: torch.Tensor
    hidden: torch.Tensor | None = None


def read_rows_of(
    forward: Forward,
    rows: Sequence[Tokens],
    begins: Sequence[int],
    shape: tuple[int, int, int],
    before: Tokens,
    prefix: torch.Tensor | None,
    work: Work,
    clock: Clock,
    states: States | None = None,
) -> Iterator[Read]:
    """Read rows after a prefix, in batches.

    Parameters
    ----------
    rows
        N rows of at most W tokens.
    begins
        [N], the first place of each row whose logits are read.
    shape
        R of a full batch, W and I.
    before
        The prefix's tokens.
    states
        Hidden states to tell of every row.
    """
    most, width, reads = shape
    height = forward.rows.height(most, most, width)
    last = forward.rows.height(most, len(rows) - (len(rows) - 1) // height * height, width)
    total = (len(rows) - 1) // height * height + last
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    filled = np.zeros((total, width), dtype=np.int64)
    filled[: len(rows)][np.arange(width) < lengths[:, None]] = np.fromiter(
        chain.from_iterable(rows), dtype=np.int64, count=int(lengths.sum())
    )
    # Spare rows repeat the last.
    filled[len(rows) :] = filled[len(rows) - 1]
    source = np.minimum(np.arange(total), len(rows) - 1)
    # Padding repeats the last position: a model may have no later one.
    counted = forward.places.of_rows(filled, forward.places.after(before))
    ends = np.minimum(np.arange(width), lengths[source, None] - 1)
    places = np.take_along_axis(counted, ends, axis=1)
    picks = np.minimum(np.asarray(begins)[source, None] + np.arange(reads), width - 1)
    picks += width * (np.arange(total) % height)[:, None]
    tokens, positions, pick = (
        torch.from_numpy(whole).to(forward.device) for whole in (filled, places, picks)
    )
    looked = None if states is None else _looked_at(states, lengths[source], height, width)
    for first in range(0, len(rows), height):
        here = slice(first, first + height)
        own = int(lengths[here].sum())
        work.tokens_computed += own
        work.tokens_padded += len(tokens[here]) * width - own
        clock.lap("transfer")
        given = tokens[here], positions[here], pick[here].flatten()
        count = min(height, len(rows) - first)
        if states is None or looked is None:
            read = Read(first, count, *forward.read(*given, prefix))
        else:
            at = looked[here].to(forward.device)
            logits, state, hidden = forward.read_states(*given, prefix, states.layers, at.flatten())
            read = Read(first, count, logits, state, hidden.unflatten(1, at.shape))
        clock.lap("forward")
        yield read


def _looked_at(states: States, lengths: np.ndarray, height: int, width: int) -> torch.Tensor:
    """Where in R · W the places of hidden states of rows of some lengths stand, int64 [N, ·]."""
    wanted = np.array(states.places)
    places = np.where(wanted < 0, lengths[:, None] + wanted, wanted)
    return torch.from_numpy(places + width * (np.arange(len(lengths)) % height)[:, None])
