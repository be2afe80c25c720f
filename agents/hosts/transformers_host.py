"""The host that runs a transformers model: the engine's parts behind two verbs."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch

from mgptn.agents.checkpoints import CheckpointError, find_checkpoint
from mgptn.agents.engine.clock import Clock
from mgptn.agents.engine.forward import Forward
from mgptn.agents.engine.memory import PREFIX_CACHE_BYTES
from mgptn.agents.engine.prefixes import Prefixes
from mgptn.agents.hosts.energy import energy_counter
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ways import Together, Way, find_way
from mgptn.agents.learning.learner import Learner
from mgptn.agents.learning.wardrobe import Wardrobe
from mgptn.agents.requests import AnyRequest, Generate, Learn, Score, Tile, TileReply, Work
from mgptn.agents.rope import length_dependent, unscaled_tokens


class TransformersHost:
    """One causal language model, on one device.

    Raises
    ------
    CheckpointError
        If the files found here are not those with the expected hash, or the model says something
        else than transformers' own attention would, in whatever way it is run.
    """

    prefixes = Prefixes
    """How keys and values of prefixes are made and remembered."""

    def __init__(self, settings: HostSettings, *, prefix_bytes: int = PREFIX_CACHE_BYTES) -> None:
        checkpoint = find_checkpoint(settings.model)
        if checkpoint.weights != settings.weights:
            raise CheckpointError(
                f"agents.model: expected {settings.model!r} with weights hash {settings.weights} "
                f"on every machine, got {checkpoint.weights} in {checkpoint.folder}"
            )
        if settings.device == "cpu":
            torch.set_num_threads(settings.threads)
        way = find_way(
            checkpoint.folder, torch.device(settings.device), getattr(torch, settings.dtype),
            self.prefixes, prefix_bytes, known=checkpoint.own,
        )  # fmt: skip
        self._begin(way, checkpoint.weights, checkpoint.folder)

    @classmethod
    def of_model(cls, model: torch.nn.Module, weights: str) -> Self:
        """A host of a loaded model, which becomes the host's: for benchmarks."""
        made = cls.__new__(cls)
        way = Together(Forward.of_model(model), cls.prefixes, PREFIX_CACHE_BYTES)
        made._begin(way, weights)
        return made

    def _begin(self, way: Way, weights: str, folder: Path | None = None) -> None:
        self.weights = weights
        self.way = way
        self._wardrobe = Wardrobe(way.model)
        self._folder = folder
        self._config = way.model.config.get_text_config().to_dict()
        self._exact = unscaled_tokens(self._config)
        self._learner: Learner | None = None
        self._parameters = sum(numbers.numel() for numbers in way.model.parameters())
        self._energy = energy_counter(self.device)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.way.device

    @property
    def forward(self) -> Forward:
        """The model's passes, where the engine runs it."""
        if not isinstance(self.way, Together):
            raise TypeError(f"expected a model that the engine runs, got {self.way.model}")
        return self.way.forward

    @torch.inference_mode()
    def generate(self, tile: Tile) -> TileReply:
        """Sample an answer to each `Generate` of the tile."""
        work = Work()
        with self._accounted(work), Clock.whole(work) as clock:
            prefix = self._prefix(tile, work, clock)
            replies = self.way.generate(tile, prefix, work, clock)
        return TileReply(replies, work)

    @torch.inference_mode()
    def score(self, tile: Tile) -> TileReply:
        """Log-probabilities of the options of each `Score` of the tile."""
        work = Work()
        with self._accounted(work), Clock.whole(work) as clock:
            prefix = self._prefix(tile, work, clock)
            replies = self.way.score(tile, prefix, work, clock)
        return TileReply(replies, work)

    def learn(self, tile: Tile) -> TileReply:
        """What becomes of the weights that each `Learn` of the tile begins with."""
        self._check(tile)
        if self._folder is None:
            raise ValueError("tile: expected no Learn of a model without files, got one")
        if self._learner is None:
            self._learner = Learner(self._folder, self.device)
        work, learned = Work(), []
        with self._accounted(work), Clock.whole(work) as clock:
            for asked in tile.requests:
                assert isinstance(asked, Learn)
                learned.append(self._learner.learn(asked, tile.supply))
                work.tokens_learned += math.prod(asked.shape)
            clock.lap("forward")
        return TileReply(tuple(learned), work)

    def forget_prefixes(self) -> None:
        """Empty the cache of prefixes, as for a measurement that starts cold."""
        self.way.forget()

    @contextmanager
    def _accounted(self, work: Work) -> Iterator[None]:
        """Book operations and energy of what is done within."""
        began = self._energy() if self._energy else 0
        yield
        if self._energy:
            work.energy_millijoules += self._energy() - began
        passed = 2 * work.tokens_computed + 6 * work.tokens_learned
        work.flops += self._parameters * passed

    def _prefix(self, tile: Tile, work: Work, clock: Clock) -> Any:
        """What the model's way wants of the tile's prefix."""
        self._check(tile)
        self._wardrobe.wear(tile.worn, tile.supply)
        prefix = self.way.prefix(tile, work)
        clock.lap("forward")
        return prefix

    def _check(self, tile: Tile) -> None:
        if tile.weights != self.weights:
            raise ValueError(f"tile: expected weights {self.weights}, got {tile.weights}")
        digest = "" if tile.worn is None else tile.worn.digest()
        if tile.adapter != digest:
            raise ValueError(f"tile: expected {tile.adapter!r} to be worn, got {digest!r}")
        limit = self._exact
        if limit is None:
            return
        longest = len(tile.prefix) + max(map(_read_tokens, tile.requests))
        if longest > limit:
            raise CheckpointError(
                f"agents.model: expected texts of at most {limit} tokens, up to which this model's "
                f"{length_dependent(self._config)} RoPE keeps its factors, "
                f"got one of {longest}; ask it less at once, as by agents.context_capacity"
            )


def _read_tokens(asked: AnyRequest | Learn) -> int:
    """Tokens after the prefix that are read for a request; an answer's last one never is."""
    if isinstance(asked, Learn):
        return asked.shape[2]
    if not isinstance(asked, Generate | Score):
        raise TypeError(f"tile: expected requests in tokens, got {type(asked).__name__}")
    written = asked.max_tokens if isinstance(asked, Generate) else max(map(len, asked.options))
    return len(asked.suffix) + written - 1
