"""Writing answers: slots that each hold one, a token a step, refilled in a fixed order.

Dimensions: N requests of a tile, T tokens of the longest answer (a bucket), R slots, W columns of
the longest prompt (a bucket), S ≥ W + T columns of a slot, A layers, G heads of keys and values, D
their width, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import groupby

import torch

from mgptn.agents.engine.answers import Answers
from mgptn.agents.engine.buffers import Buffers
from mgptn.agents.engine.clock import Clock
from mgptn.agents.engine.forward import Forward
from mgptn.agents.engine.memory import COLUMN_STEP, KEPT, SHOWN_STEP
from mgptn.agents.engine.reading import read_rows_of
from mgptn.agents.engine.recording import Traced
from mgptn.agents.engine.sampling import draw
from mgptn.agents.requests import Generate, Generated, Tile, Work
from mgptn.agents.tiles import bucket, read_rows

LOOK = {"cpu": 1, "cuda": 8}
"""Steps between two looks at which slots have ended: to look is to wait for the device."""


class Decoder:
    """Writes the answers of tiles with one model; keeps the buffers that slots use."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._draw = Traced(draw)
        kept = KEPT[forward.device.type]
        self._own = Buffers(kept, forward.forget)
        self._shared = Buffers(kept, forward.forget)

    def generate(
        self, tile: Tile, prefix: torch.Tensor | None, work: Work, clock: Clock
    ) -> tuple[Generated, ...]:
        """Answers to a tile's requests, in their order."""
        requests = [r for r in tile.requests if isinstance(r, Generate)]
        clock.lap("transfer")
        answers = Answers(requests, tile.room, self._forward.device, self._draw)
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
        answers: Answers,
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
            for read in read_rows_of(f, rows, begins, shape, tile.prefix, prefix, work, clock):
                first = done + read.first
                end = first + read.count
                written[:, :, first:end, :, :width] = read.state[:, :, : read.count]
                clock.lap("forward")
                who = torch.arange(first, first + read.state.shape[2], device=f.device)
                answers.extend(read.logits, who.where(who < end, nobody))
                clock.lap("sampling")
            done += len(rows)
        return written

    def _write(
        self,
        tile: Tile,
        requests: list[Generate],
        answers: Answers,
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
        most, heads = own.shape[2:4]
        starts = torch.arange(most * heads, device=device).view(-1, heads) * len(columns)
        lengths = torch.tensor([len(r.suffix) for r in requests] + [1], device=device)
        counting = self._forward.places
        places = self._last_places(tile, requests) if counting.restarts else None
        waiting = deque(answers.open())
        slots = [nobody] * most
        drawn = [1] * most
        steps, coarse = LOOK[device.type], COLUMN_STEP[device.type]
        everyone = torch.full((most,), nobody, device=device)
        while True:
            clock.lap("transfer")
            for slot in self._refill(own, prompts, slots, waiting, nobody):
                drawn[slot] = 1
            clock.lap("forward")
            taken = sum(slot != nobody for slot in slots)
            if not taken:
                return
            # Once nobody waits, there are fewer and fewer: they move together.
            height = self._forward.rows.height(most, taken)
            _gather(own, height, slots, drawn, nobody)
            everyone.copy_(torch.tensor(slots))
            who, here = everyone[:height], own[:, :, :height]
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
                mask = torch.zeros(height, 1, 1, len(used), device=device, dtype=own.dtype)
                mask[:, 0, 0].masked_fill_(used > column.unsqueeze(-1), -torch.inf)
                last, place = answers.last(who), before + column
                if places is not None:
                    place = places[who] = counting.next(last[:, 0], places[who])
                logits = self._forward.step(
                    last, place.unsqueeze(-1),
                    (starts[:height] + column.unsqueeze(-1)).flatten(), mask, here, *shared,
                )  # fmt: skip
                clock.lap("forward")
                answers.extend(logits, who)
                clock.lap("sampling")
            drawn = [count + steps for count in drawn]
            going = set(answers.open())
            work.tokens_computed += taken * steps
            work.tokens_padded += (height - taken) * steps
            work.slots_idle += (height - taken) * steps
            slots = [slot if slot in going else nobody for slot in slots]
            clock.lap("sampling")

    def _last_places(self, tile: Tile, requests: list[Generate]) -> torch.Tensor:
        """The place of each prompt's last token, and nobody's, int64 [N + 1]."""
        counting = self._forward.places
        whole = [tile.prefix + r.suffix for r in requests]
        found = [counting.after(tokens) - 1 for tokens in whole]
        return torch.tensor([*found, 0], device=self._forward.device)

    def _slots(self, tile: Tile) -> torch.Tensor:
        """Keys and values [A, 2, R, G, S, D] of slots; the same memory for the same shape."""
        f = self._forward
        coarse = COLUMN_STEP[f.device.type]
        rows = f.rows.height(tile.rows, tile.rows)
        shape = (rows, -(-(tile.width + tile.room) // coarse) * coarse)
        (own,) = self._own.get(
            shape,
            lambda: (
                torch.zeros(
                    (f.layers, 2, shape[0], f.heads, shape[1], f.width),
                    device=f.device,
                    dtype=f.dtype,
                ),
            ),
        )
        return own

    def _share(self, prefix: torch.Tensor | None) -> tuple[torch.Tensor, ...]:
        """The prefix, on a GPU in memory that stays where it is, with what of it is shown."""
        if prefix is None or self._forward.device.type == "cpu":
            return () if prefix is None else (prefix,)
        length = prefix.shape[3]
        padded = -(-length // SHOWN_STEP) * SHOWN_STEP
        room, shown = self._shared.get(
            padded,
            lambda: (
                prefix.new_zeros(*prefix.shape[:3], padded, prefix.shape[4]),
                prefix.new_zeros(padded, dtype=torch.float32),
            ),
        )
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


def _gather(
    own: torch.Tensor, height: int, slots: list[int], drawn: list[int], nobody: int
) -> None:
    """Move answers from slots beyond some into empty ones before, with what has been written."""
    beyond = [slot for slot in range(height, len(slots)) if slots[slot] != nobody]
    empty = [slot for slot in range(height) if slots[slot] == nobody]
    for source, target in zip(beyond, empty, strict=False):
        own[:, :, target] = own[:, :, source]
        slots[target], drawn[target] = slots[source], drawn[source]
        slots[source] = nobody


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
