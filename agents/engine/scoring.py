"""Scoring: rows are read once, and options' log-probabilities taken from the places they need.

Dimensions: R rows of a batch, I places of a row whose logits are read, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import torch

from agents.engine.clock import Clock
from agents.engine.forward import Forward
from agents.engine.reading import read_rows_of
from agents.requests import Score, Scored, Tile, Tokens, Work
from agents.tiles import option_starts


def score(
    forward: Forward, tile: Tile, prefix: torch.Tensor | None, work: Work, clock: Clock
) -> tuple[Scored, ...]:
    """Log-probabilities of the options of a tile's requests, in their order."""
    requests = [r for r in tile.requests if isinstance(r, Score)]
    rows: list[Tokens] = []
    begins: list[int] = []
    wanted: list[tuple[int, int]] = []
    spans: list[list[int]] = []
    for request in requests:
        last = len(request.suffix) - 1
        starts = option_starts(request.options)
        row_of = {start: len(rows) + i for i, start in enumerate(starts)}
        rows += [request.suffix + start for start in starts]
        begins += [last] * len(starts)
        spans.append([len(option) for option in request.options])
        for option in request.options:
            place = row_of[option[:-1]] * tile.reads
            wanted += [(place + i, token) for i, token in enumerate(option)]
    places = torch.tensor(wanted).to(forward.device)
    found = torch.zeros(len(wanted), device=forward.device)
    shape = (tile.rows, tile.width, tile.reads)
    for read in read_rows_of(forward, rows, begins, shape, prefix, work, clock):
        logs = torch.log_softmax(read.logits.float(), dim=-1)
        row = places[:, 0] - read.first * tile.reads
        here = (row >= 0) & (row < read.count * tile.reads)
        found[here] = logs[row[here], places[here, 1]]
        clock.lap("forward")
    values = iter(found.tolist())
    clock.lap("transfer")
    return tuple(
        Scored(tuple(sum(next(values) for _ in range(length)) for length in lengths))
        for lengths in spans
    )
