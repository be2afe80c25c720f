"""Writing answers: slots that each hold one, a token a step, refilled in a fixed order.

Dimensions: N requests of a tile, T tokens of the longest answer (a bucket), R slots, W columns of
the longest prompt (a bucket), S ≥ W + T columns of a slot, A layers, G heads of keys and values, D
their width, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from itertools import groupby

import torch

from agents.engine.clock import Clock
from agents.engine.forward import Forward
from agents.engine.memory import COLUMN_STEP
from agents.engine.reading import read_rows_of
from agents.engine.recording import Traced
from agents.engine.sampling import Settings, draw
from agents.requests import EndReason, Generate, Generated, Tile, Work
from agents.tiles import bucket, read_rows

LOOK = {"cpu": 1, "cuda": 8}
"""Steps between two looks at which slots have ended: to look is to wait for the device."""

SHOWN_STEP = 128
"""On a GPU, prefixes are padded to a multiple of this many tokens, so that a graph serves many."""

OPEN, STOP, ENDING, LENGTH, UNREADABLE = range(5)
REASONS: dict[int, EndReason] = {
    STOP: "stop",
    ENDING: "ending",
    LENGTH: "length",
    UNREADABLE: "unreadable",
}


class Decoder:
    """Writes the answers of tiles with one model; keeps the buffers that slots use."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._draw = Traced(draw)
        self._own: dict[tuple[int, int], torch.Tensor] = {}
        self._shared: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def generate(
        self, tile: Tile, prefix: torch.Tensor | None, work: Work, clock: Clock
    ) -> tuple[Generated, ...]:
        """Answers to a tile's requests, in their order."""
        requests = [r for r in tile.requests if isinstance(r, Generate)]
        clock.lap("transfer")
        answers = _Answers(requests, tile.room, self._forward.device, self._draw)
        clock.lap("sampling")
        written = self._read(tile, requests, answers, prefix, work, clock)
        self._write(tile, requests, answers, written, prefix, work, clock)
        replies = answers.replies()
        clock.lap("transfer")
        return replies

    def _read(
        self,
        tile: Tile,
        requests: list[Generate],
        answers: _Answers,
        prefix: torch.Tensor | None,
        work: Work,
        clock: Clock,
    ) -> torch.Tensor:
        """Read the prompts, and draw first tokens; keys and values [A, 2, N, G, W, D]."""
        f, nobody = self._forward, len(requests)
        written = torch.zeros(
            (f.layers, 2, nobody, f.heads, tile.width, f.width), device=f.device, dtype=f.dtype
        )
        done = 0
        # Each width in batches of its own shape, which does not depend on the other widths.
        for width, group in groupby([r.suffix for r in requests], key=lambda s: bucket(len(s))):
            rows = list(group)
            shape = (read_rows(tile.rows, width), width, 1)
            begins = [len(row) - 1 for row in rows]
            for read in read_rows_of(f, rows, begins, shape, prefix, work, clock):
                first = done + read.first
                end = first + read.count
                written[:, :, first:end, :, :width] = read.state[:, :, : read.count]
                clock.lap("forward")
                who = torch.arange(first, first + shape[0], device=f.device)
                answers.extend(read.logits, who.where(who < end, nobody))
                clock.lap("sampling")
            done += len(rows)
        return written

    def _write(
        self,
        tile: Tile,
        requests: list[Generate],
        answers: _Answers,
        prompts: torch.Tensor,
        prefix: torch.Tensor | None,
        work: Work,
        clock: Clock,
    ) -> None:
        """Go on with the answers that are not ended by their first token."""
        device, nobody = self._forward.device, len(requests)
        before = 0 if prefix is None else prefix.shape[3]
        own = self._slots(tile)
        shared = self._share(prefix)
        columns = torch.arange(own.shape[4], device=device)
        heads = own.shape[3]
        starts = torch.arange(tile.rows * heads, device=device).view(-1, heads) * len(columns)
        lengths = torch.tensor([len(r.suffix) for r in requests] + [1], device=device)
        waiting = deque(answers.open())
        slots = [nobody] * tile.rows
        drawn = [1] * tile.rows
        steps, coarse = LOOK[device.type], COLUMN_STEP[device.type]
        who = torch.full((tile.rows,), nobody, device=device)
        while True:
            clock.lap("transfer")
            for slot in self._refill(own, prompts, slots, waiting, nobody):
                drawn[slot] = 1
            clock.lap("forward")
            taken = sum(slot != nobody for slot in slots)
            if not taken:
                return
            who.copy_(torch.tensor(slots))
            # A slot's further columns are masked: exact zeros, with which nothing is computed.
            needed = (
                steps
                - 1
                + max(
                    len(requests[slot].suffix) + count
                    for slot, count in zip(slots, drawn, strict=True)
                    if slot != nobody
                )
            )
            used = columns[: -(-needed // coarse) * coarse]
            clock.lap("transfer")
            for _ in range(steps):
                # The token drawn last stands right of the prompt and of those before it.
                column = lengths[who] + answers.counts[who].clamp(min=1) - 1
                mask = torch.zeros(tile.rows, 1, 1, len(used), device=device, dtype=own.dtype)
                mask[:, 0, 0].masked_fill_(used > column.unsqueeze(-1), -torch.inf)
                logits = self._forward.step(
                    answers.last(who), (before + column).unsqueeze(-1),
                    (starts + column.unsqueeze(-1)).flatten(), mask, own, *shared,
                )  # fmt: skip
                clock.lap("forward")
                answers.extend(logits, who)
                clock.lap("sampling")
            drawn = [count + steps for count in drawn]
            going = set(answers.open())
            work.tokens_computed += taken * steps
            work.tokens_padded += (tile.rows - taken) * steps
            work.slots_idle += (tile.rows - taken) * steps
            slots = [slot if slot in going else nobody for slot in slots]
            clock.lap("sampling")

    def _slots(self, tile: Tile) -> torch.Tensor:
        """Keys and values [A, 2, R, G, S, D] of slots; the same memory for the same shape."""
        f = self._forward
        coarse = COLUMN_STEP[f.device.type]
        shape = (tile.rows, -(-(tile.width + tile.room) // coarse) * coarse)
        if shape not in self._own:
            if f.device.type == "cpu":
                self._own.clear()
            self._own[shape] = torch.zeros(
                (f.layers, 2, shape[0], f.heads, shape[1], f.width), device=f.device, dtype=f.dtype
            )
        return self._own[shape]

    def _share(self, prefix: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        """The prefix, on a GPU in memory that stays where it is, with what of it is shown."""
        if prefix is None or self._forward.device.type == "cpu":
            return () if prefix is None else (prefix,)
        length = prefix.shape[3]
        padded = -(-length // SHOWN_STEP) * SHOWN_STEP
        if padded not in self._shared:
            room = prefix.new_zeros(*prefix.shape[:3], padded, prefix.shape[4])
            self._shared[padded] = room, room.new_zeros(padded, dtype=torch.float32)
        room, shown = self._shared[padded]
        room[:, :, :, :length], room[:, :, :, length:] = prefix, 0
        shown[:length], shown[length:] = 0.0, -torch.inf
        return room, shown

    def _refill(
        self,
        own: torch.Tensor,
        prompts: torch.Tensor,
        slots: list[int],
        waiting: deque[int],
        nobody: int,
    ) -> list[int]:
        """Put waiting answers into empty slots, both in their order; which slots these are."""
        empty = [i for i, slot in enumerate(slots) if slot == nobody][: len(waiting)]
        if not empty:
            return []
        for slot in empty:
            slots[slot] = waiting.popleft()
        width = prompts.shape[4]
        for slot, request, count in _runs(empty, [slots[slot] for slot in empty]):
            filled = own[:, :, slot : slot + count]
            filled[:, :, :, :, :width] = prompts[:, :, request : request + count]
            filled[:, :, :, :, width:] = 0.0
        return empty


def _runs(slots: list[int], requests: list[int]) -> Iterator[tuple[int, int, int]]:
    """Neighbouring slots for neighbouring requests: first slot, first request, how many."""
    start = 0
    for end in range(1, len(slots) + 1):
        along = end - start
        if end == len(slots) or (slots[end], requests[end]) != (
            slots[start] + along,
            requests[start] + along,
        ):
            yield slots[start], requests[start], along
            start = end


class _Answers:
    """The answers of a tile as they grow, on the device; the last row, N, is nobody's.

    `tokens` int64 and `logs` float64 [N + 1, T]; `counts` int64 [N + 1], tokens drawn; `states`
    int64 [N + 1], why an answer ended.
    """

    def __init__(
        self, requests: list[Generate], room: int, device: torch.device, drawing: Traced
    ) -> None:
        self._drawing = drawing
        self._settings = Settings(requests, room, device)
        count = len(requests)
        self.tokens = torch.zeros(count + 1, room, dtype=torch.long, device=device)
        self.logs = torch.zeros(count + 1, room, dtype=torch.float64, device=device)
        self.counts = torch.zeros(count + 1, dtype=torch.long, device=device)
        self.states = torch.full((count + 1,), OPEN, device=device)
        self.states[count] = LENGTH
        self._most = torch.tensor([r.max_tokens for r in requests] + [1], device=device)
        # Which tokens end an answer: a table of distinct answers to that, and each request's.
        kinds = {(r.stops, r.endings): 0 for r in requests}
        for i, kind in enumerate(kinds):
            kinds[kind] = i
        self._kind = torch.tensor([kinds[r.stops, r.endings] for r in requests] + [0]).to(device)
        self._kinds = list(kinds)
        self._ends: torch.Tensor | None = None

    def open(self) -> list[int]:
        """Requests whose answers go on, in order."""
        return [i for i, state in enumerate(self.states.tolist()) if state == OPEN]

    def last(self, who: torch.Tensor) -> torch.Tensor:
        """The token drawn last of some answers, int64 [R, 1]."""
        return self.tokens[who].gather(1, (self.counts[who].unsqueeze(-1) - 1).clamp(min=0))

    def extend(self, logits: torch.Tensor, who: torch.Tensor) -> None:
        """Draw the next token of some answers from logits [R, V]; those ended stay as they are."""
        s, count, vocabulary = self._settings, self.counts[who], logits.shape[-1]
        if self._ends is None:
            self._ends = self._endings(vocabulary)
        place = count.clamp(max=self.tokens.shape[1] - 1)
        points = s.uniforms[who, place]
        filters = () if s.top_k is None or s.top_p is None else (s.top_k[who], s.top_p[who])
        tokens, logs, readable = self._drawing(
            logits, s.temperatures[who], points, *filters, key=(*logits.shape, len(filters))
        )
        going = self.states[who] == OPEN
        ended = self._ends[self._kind[who], tokens]
        ended = torch.where((ended == OPEN) & (count + 1 >= self._most[who]), LENGTH, ended)
        ended = torch.where(readable, ended, UNREADABLE)
        logs = torch.where(readable, logs, math.nan)
        self.tokens[who, place] = torch.where(going, tokens, self.tokens[who, place])
        self.logs[who, place] = torch.where(going, logs, self.logs[who, place])
        self.states[who] = torch.where(going, ended, self.states[who])
        self.counts[who] = count + going.long()

    def replies(self) -> tuple[Generated, ...]:
        """The answers."""
        columns = (self.tokens, self.logs, self.counts, self.states)
        rows = zip(*(column[:-1].tolist() for column in columns), strict=True)
        return tuple(
            Generated(
                tokens=tuple(tokens[: count - (state in (STOP, UNREADABLE))]),
                reason=REASONS[state],
                log_probabilities=tuple(logs[:count]),
            )
            for tokens, logs, count, state in rows
        )

    def _endings(self, vocabulary: int) -> torch.Tensor:
        """int64 [kinds, V]: what each token does to an answer."""
        table = torch.zeros(len(self._kinds), vocabulary, dtype=torch.long)
        for i, (stops, endings) in enumerate(self._kinds):
            table[i, list(endings)] = ENDING
            table[i, list(stops)] = STOP
        return table.to(self.tokens.device)
