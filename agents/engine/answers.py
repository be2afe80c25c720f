"""The answers of a tile as they grow, a token a step, on the device.

Dimensions: N requests of a tile, T tokens of the longest answer (a bucket), R slots, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import torch

from mgptn.agents.engine.recording import Tensors, Traced
from mgptn.agents.engine.sampling import Settings, likeliest
from mgptn.agents.requests import EndReason, Generate, Generated

OPEN, STOP, ENDING, LENGTH, UNREADABLE = range(5)
REASONS: dict[int, EndReason] = {
    STOP: "stop",
    ENDING: "ending",
    LENGTH: "length",
    UNREADABLE: "unreadable",
}


class Answers:
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
        tokens, logs, readable = (
            likeliest(logits) if s.greedy else self._drawn(logits, who, s.uniforms[who, place])
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

    def _drawn(self, logits: torch.Tensor, who: torch.Tensor, points: torch.Tensor) -> Tensors:
        """As of `draw`, with what each answer asks for."""
        s = self._settings
        filters = () if s.top_k is None or s.top_p is None else (s.top_k[who], s.top_p[who])
        key = (*logits.shape, len(filters))
        return self._drawing(logits, s.temperatures[who], points, *filters, key=key)

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
