"""Scoring: rows are read once, and options' log-probabilities taken from the places they need.

Dimensions: R rows of a batch, I places of a row whose logits are read, V vocabulary, n tokens of
all options of a request.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from mgptn.agents.engine.clock import Clock
from mgptn.agents.engine.forward import Forward
from mgptn.agents.engine.reading import read_rows_of
from mgptn.agents.requests import Hidden, Score, Scored, States, Tile, Tokens, Work
from mgptn.agents.tiles import option_starts


def score(
    forward: Forward, tile: Tile, prefix: torch.Tensor | None, work: Work, clock: Clock
) -> tuple[Scored, ...]:
    """Log-probabilities of the options of a tile's requests, in their order; hidden states too,
    where those are asked for."""
    requests = [r for r in tile.requests if isinstance(r, Score)]
    known: dict[tuple[Tokens, ...], _Options] = {}
    rows: list[Tokens] = []
    begins: list[int] = []
    asked: list[_Options] = []
    firsts: list[int] = []
    for request in requests:
        options = known.get(request.options)
        if options is None:
            options = known[request.options] = _Options.of(request.options, tile.reads)
        asked.append(options)
        firsts.append(len(rows) * tile.reads)
        suffix = request.suffix
        rows += [suffix + start if start else suffix for start in options.starts]
        begins += [len(suffix) - 1] * len(options.starts)
    counts = [len(options.tokens) for options in asked]
    wanted = np.concatenate([options.places for options in asked]) + np.repeat(firsts, counts)
    places = torch.from_numpy(wanted).to(forward.device)
    tokens = torch.from_numpy(np.concatenate([o.tokens for o in asked])).to(forward.device)
    found = torch.zeros(len(wanted), device=forward.device)
    shape = (tile.rows, tile.width, tile.reads)
    states = requests[0].states  # all of a tile ask for the same
    seen: list[torch.Tensor] = []
    for read in read_rows_of(
        forward, rows, begins, shape, tile.prefix, prefix, work, clock, states
    ):
        logs = torch.log_softmax(read.logits.float(), dim=-1)
        first = read.first * tile.reads
        # Places stand in order, so those of a batch of rows are neighbours.
        here = slice(*np.searchsorted(wanted, [first, first + read.count * tile.reads]))
        found[here] = logs[places[here] - first, tokens[here]]
        if read.hidden is not None:
            seen.append(read.hidden[:, : read.count].transpose(0, 1))
        clock.lap("forward")
    values = found.tolist()
    ends = np.cumsum(counts).tolist()
    replies = tuple(
        options.read(values[end - len(options.tokens) : end])
        for options, end in zip(asked, ends, strict=True)
    )
    if states is not None:
        replies = _with_hidden(replies, seen, states, [len(o.starts) for o in asked])
    clock.lap("transfer")
    return replies


def _with_hidden(
    replies: tuple[Scored, ...], seen: list[torch.Tensor], states: States, counts: list[int]
) -> tuple[Scored, ...]:
    """Replies with the hidden states of their rows, so many each."""
    whole = torch.cat(seen).float().cpu().numpy()
    ends = np.cumsum(counts).tolist()
    shape = len(states.layers), len(states.places), whole.shape[-1]
    return tuple(
        replace(reply, hidden=Hidden((rows, *shape), whole[end - rows : end].tobytes()))
        for reply, rows, end in zip(replies, counts, ends, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Options:
    """What is the same for all requests with the same options.

    Attributes
    ----------
    starts
        Distinct options without their last token: a row each.
    places, tokens
        int64 [n], where in the rows' places the logits stand that each option's tokens are read
        from, in that order, and the tokens.
    spans
        Where in those each option begins and ends; in the order of the request.
    """

    starts: tuple[Tokens, ...]
    places: np.ndarray
    tokens: np.ndarray
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, options: tuple[Tokens, ...], reads: int) -> _Options:
        starts = option_starts(options)
        row_of = {start: row for row, start in enumerate(starts)}
        order = sorted(range(len(options)), key=lambda i: row_of[options[i][:-1]])
        places: list[int] = []
        tokens: list[int] = []
        spans = [(0, 0)] * len(options)
        for i in order:
            spans[i] = len(places), len(places) + len(options[i])
            first = row_of[options[i][:-1]] * reads
            places += range(first, first + len(options[i]))
            tokens += options[i]
        where, which = np.array(places, dtype=np.int64), np.array(tokens, dtype=np.int64)
        return cls(starts, where, which, tuple(spans))

    def read(self, values: list[float]) -> Scored:
        """A request's reply from the log-probabilities of its options' tokens."""
        return Scored(tuple([sum(values[begin:end]) for begin, end in self.spans]))
