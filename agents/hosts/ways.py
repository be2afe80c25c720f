"""The ways to run a model: by the engine, many texts at once, or else one text at a time."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

import torch

from mgptn.agents.alone.answering import OneByOne
from mgptn.agents.alone.model import Alone
from mgptn.agents.checkpoints import BeyondEngineError
from mgptn.agents.engine.clock import Clock
from mgptn.agents.engine.decoding import Decoder
from mgptn.agents.engine.forward import Forward
from mgptn.agents.engine.prefixes import Prefixes
from mgptn.agents.engine.scoring import score
from mgptn.agents.requests import Generated, Scored, Tile, Work

_log = logging.getLogger(__name__)


class Way(Protocol):
    """One loaded model, and how it answers tiles."""

    model: Any
    device: torch.device

    def prefix(self, tile: Tile, work: Work) -> Any:
        """What the others want of a tile's prefix; `work` is counted."""

    def generate(self, tile: Tile, prefix: Any, work: Work, clock: Clock) -> tuple[Generated, ...]:
        """Answers to a tile's requests, in their order."""

    def score(self, tile: Tile, prefix: Any, work: Work, clock: Clock) -> tuple[Scored, ...]:
        """Log-probabilities of the options of a tile's requests, in their order."""

    def forget(self) -> None:
        """Keep nothing of prefixes."""


class Together:
    """By the engine: rows of a shape share the blocks of their prefix.

    Parameters
    ----------
    prefixes
        How keys and values of prefixes are made and remembered, within so many bytes.
    """

    def __init__(self, forward: Forward, prefixes: type[Prefixes], prefix_bytes: int) -> None:
        self.forward = forward
        self.model = forward.model
        self.device: torch.device = forward.device
        self.decoder = Decoder(forward)
        self._prefixes = prefixes(
            forward.read_block, forward.places, prefix_bytes, self.device, forward.rows
        )

    def prefix(self, tile: Tile, work: Work) -> torch.Tensor | None:
        """Keys and values of a tile's prefix."""
        found = self._prefixes.get(tile.prefix, (tile.weights, tile.adapter), work)
        work.tokens_saved += len(tile.prefix) * len(tile.requests) - work.tokens_computed
        return found

    def generate(
        self, tile: Tile, prefix: torch.Tensor | None, work: Work, clock: Clock
    ) -> tuple[Generated, ...]:
        """Answers, in slots."""
        return self.decoder.generate(tile, prefix, work, clock)

    def score(
        self, tile: Tile, prefix: torch.Tensor | None, work: Work, clock: Clock
    ) -> tuple[Scored, ...]:
        """Scores, in batches of rows."""
        return score(self.forward, tile, prefix, work, clock)

    def forget(self) -> None:
        """Keep no blocks."""
        self._prefixes.forget()


def find_way(
    folder: Path,
    device: torch.device,
    dtype: torch.dtype,
    prefixes: type[Prefixes],
    prefix_bytes: int,
    *,
    known: bool,
) -> Way:
    """Load a model, and run it by the engine if that can compute it.

    Parameters
    ----------
    known
        It is of mgptn's own making: the engine is held to a short text only.

    Raises
    ------
    mgptn.agents.checkpoints.CheckpointError
        If weights are missing, or neither way says what transformers says.
    """
    try:
        forward = Forward(folder, device, dtype, thoroughly=not known)
    except BeyondEngineError as error:
        reason = str(error)
    else:
        return Together(forward, prefixes, prefix_bytes)
    alone = Alone(folder, device, dtype)  # loaded anew: its layers were changed
    _log.warning(
        "agents.model: %s is run a text at a time by transformers' own attention, new tokens %s, "
        "which is slower than the engine, since that cannot compute it: %s",
        folder, alone.way, reason.partition("got ")[2],
    )  # fmt: skip
    return OneByOne(alone, prefix_bytes)
