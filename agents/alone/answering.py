"""The requests of a tile answered one after another, each text alone; what prefixes leave is kept.

Dimensions: V vocabulary, I places that are read.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import OrderedDict

import torch

from mgptn.agents.alone.model import NOTHING, Alone, Past
from mgptn.agents.engine.answers import OPEN, Answers
from mgptn.agents.engine.clock import Clock
from mgptn.agents.engine.recording import Traced
from mgptn.agents.engine.sampling import draw
from mgptn.agents.requests import Generate, Generated, Score, Scored, Tile, Tokens, Work
from mgptn.agents.tiles import option_starts

Model = tuple[str, str]
"""Hash of the weights, and digest of what became of them."""


class OneByOne:
    """Answers and scores of a model that is run a text at a time.

    A prefix is read whole and by itself, so that what follows it has the same bits whether it was
    known or not; those used last are kept, within a bound of bytes.
    """

    def __init__(self, alone: Alone, prefix_bytes: int) -> None:
        self.alone = alone
        self.model = alone.model
        self.device = alone.device
        self._limit = prefix_bytes
        self._draw = Traced(draw)
        self.forget()

    def forget(self) -> None:
        """Keep nothing of prefixes."""
        self._held: OrderedDict[tuple[Model, Tokens], Past] = OrderedDict()
        self._bytes = 0

    def prefix(self, tile: Tile, work: Work) -> Past:
        """A tile's prefix, read."""
        tokens = tile.prefix
        if not tokens:
            return NOTHING
        if self.alone.way == "anew":
            return Past(tokens)
        key = (tile.weights, tile.adapter), tokens
        known = self._held.get(key)
        if known is not None:
            self._held.move_to_end(key)
            work.tokens_saved += len(tokens) * len(tile.requests)
            return known
        _, made = self.alone.read(NOTHING, tokens)
        work.tokens_computed += len(tokens)
        work.tokens_saved += len(tokens) * (len(tile.requests) - 1)
        self._held[key] = made
        self._bytes += made.nbytes
        while self._bytes > self._limit and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1].nbytes
            work.prefix_evictions += 1
        return made

    def generate(self, tile: Tile, prefix: Past, work: Work, clock: Clock) -> tuple[Generated, ...]:
        """Answers to a tile's requests, in their order."""
        requests = [r for r in tile.requests if isinstance(r, Generate)]
        answers = Answers(requests, tile.room, self.device, self._draw)
        clock.lap("sampling")
        for i, request in enumerate(requests):
            who = torch.tensor([i], device=self.device)
            logits, past = self.alone.read(prefix, request.suffix)
            self._count(work, past, len(request.suffix))
            clock.lap("forward")
            answers.extend(logits, who)
            clock.lap("sampling")
            while answers.states[i].item() == OPEN:
                logits, past = self.alone.read_on(past, int(answers.last(who).item()))
                self._count(work, past, 1)
                clock.lap("forward")
                answers.extend(logits, who)
                clock.lap("sampling")
        return answers.replies()

    def score(self, tile: Tile, prefix: Past, work: Work, clock: Clock) -> tuple[Scored, ...]:
        """Log-probabilities of the options of a tile's requests, in their order.

        Raises
        ------
        ValueError
            If hidden states are asked for.
        """
        replies = []
        for request in tile.requests:
            assert isinstance(request, Score)
            if request.states is not None:
                raise ValueError(
                    f"states: expected a model that the engine runs, which tells hidden states, "
                    f"got {type(self.model).__name__}, which is run a text at a time"
                )
            logs: dict[Tokens, torch.Tensor] = {}
            for start in option_starts(request.options):
                tokens = request.suffix + start
                logits, past = self.alone.read(prefix, tokens, len(start) + 1)
                logs[start] = torch.log_softmax(logits.float(), dim=-1)
                self._count(work, past, len(tokens))
            found = tuple(
                sum(logs[option[:-1]][place, token].item() for place, token in enumerate(option))
                for option in request.options
            )
            replies.append(Scored(found))
            clock.lap("forward")
        return tuple(replies)

    def _count(self, work: Work, past: Past, new: int) -> None:
        """New tokens, and those that had to be read again for them."""
        work.tokens_computed += new
        if self.alone.way == "anew":
            work.tokens_padded += len(past.tokens) - new
