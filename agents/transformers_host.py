"""The host that runs a transformers model: every forward pass of a run happens in this file.

Dimensions: R rows of a tile, W tokens of its widest suffix, P tokens of its prefix, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import time
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, DynamicCache
from transformers.utils.logging import disable_progress_bar

from agents.checkpoints import CheckpointError, find_checkpoint
from agents.host import HostSettings
from agents.requests import Generate, Generated, Score, Scored, Tile, TileReply, Tokens, Work
from agents.tiles import option_starts, rows_of
from population.streams import keyed_generator

PREFIX_CACHE_BYTES = 256 * 2**20
"""Keys and values of prefixes that a host remembers."""


class TransformersHost:
    """One causal language model with full attention, on one device.

    Raises
    ------
    CheckpointError
        If the files found here are not those with the expected hash.
    """

    def __init__(self, settings: HostSettings, *, prefix_bytes: int = PREFIX_CACHE_BYTES) -> None:
        checkpoint = find_checkpoint(settings.model)
        if checkpoint.weights != settings.weights:
            raise CheckpointError(
                f"agents.model: expected {settings.model!r} with weights hash {settings.weights} "
                f"on every machine, got {checkpoint.weights} in {checkpoint.folder}"
            )
        if settings.device == "cpu":
            torch.set_num_threads(settings.threads)
        self.weights = checkpoint.weights
        self.device = torch.device(settings.device)
        disable_progress_bar()
        model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(
            checkpoint.folder,
            dtype=getattr(torch, settings.dtype),
            attn_implementation="sdpa",
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
        )
        self.model = model.to(self.device).eval()
        self._prefixes = _PrefixCache(prefix_bytes)

    @torch.inference_mode()
    def generate(self, tile: Tile) -> TileReply:
        """Sample an answer to each `Generate` of the tile."""
        began = time.perf_counter()
        requests = [r for r in tile.requests if isinstance(r, Generate)]
        suffixes = [request.suffix for request in requests]
        cache, fresh = self._prefix(tile)
        rows = _Rows(tile, suffixes, self.device)
        state = cache.expand(tile.rows)
        draws = _Draws(requests)
        logits = self._forward(rows.tokens, rows.mask, rows.positions, state, rows.last)
        last = logits[torch.arange(tile.rows), rows.last_column]
        length, mask = rows.lengths + len(tile.prefix), rows.mask
        computed = fresh + tile.rows * tile.width
        while (tokens := draws.take(last.float().cpu().numpy())) is not None:
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
            step = torch.zeros(tile.rows, 1, dtype=torch.long)
            step[: len(tokens), 0] = torch.from_numpy(tokens)
            last = self._forward(step.to(self.device), mask, length[:, None], state)[:, -1]
            length = length + 1
            computed += tile.rows
        return TileReply(draws.replies(), self._work(tile, suffixes, fresh, computed, began))

    @torch.inference_mode()
    def score(self, tile: Tile) -> TileReply:
        """Log-probabilities of the options of each `Score` of the tile."""
        began = time.perf_counter()
        requests = [r for r in tile.requests if isinstance(r, Score)]
        suffixes = [row for request in requests for row in rows_of(request)]
        cache, fresh = self._prefix(tile)
        rows = _Rows(tile, suffixes, self.device)
        readable = _option_columns(requests)
        columns = torch.tensor(sorted(set().union(*readable)), device=self.device)
        logits = self._forward(
            rows.tokens, rows.mask, rows.positions, cache.expand(tile.rows), columns
        )
        logs = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
        column_of = {int(column): i for i, column in enumerate(columns.tolist())}
        replies, first = [], 0
        for request in requests:
            starts = option_starts(request)
            values = []
            for option in request.options:
                row = first + starts.index(option[:-1])
                before = len(request.suffix) - 1
                values.append(
                    sum(
                        float(logs[row, column_of[before + i], token])
                        for i, token in enumerate(option)
                    )
                )
            replies.append(Scored(tuple(values)))
            first += len(starts)
        computed = fresh + tile.rows * tile.width
        return TileReply(tuple(replies), self._work(tile, suffixes, fresh, computed, began))

    def forget_prefixes(self) -> None:
        """Empty the cache of prefixes, as for a measurement that starts cold."""
        self._prefixes = _PrefixCache(self._prefixes.limit)

    def _forward(
        self,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
        state: DynamicCache,
        columns: torch.Tensor | int = 1,
    ) -> torch.Tensor:
        """Logits [R, len(columns), V] of new tokens [R, ·], which `state` is extended by."""
        logits: torch.Tensor = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=state,
            use_cache=True,
            logits_to_keep=columns,
        ).logits
        return logits

    def _prefix(self, tile: Tile) -> tuple[_Prefix, int]:
        """Keys and values of the tile's prefix, and how many tokens were computed for them."""
        if tile.weights != self.weights:
            raise ValueError(f"tile: expected weights {self.weights}, got {tile.weights}")
        known = self._prefixes.get(tile.prefix)
        if known is not None:
            return known, 0
        state = DynamicCache()
        if tile.prefix:
            tokens = torch.tensor([tile.prefix], device=self.device)
            positions = torch.arange(len(tile.prefix), device=self.device)[None]
            self._forward(tokens, torch.ones_like(tokens), positions, state)
        prefix = _Prefix(state)
        self._prefixes.put(tile.prefix, prefix)
        return prefix, len(tile.prefix)

    def _work(
        self, tile: Tile, suffixes: list[Tokens], fresh: int, computed: int, began: float
    ) -> Work:
        return Work(
            tokens_computed=computed,
            tokens_saved=len(tile.prefix) * len(suffixes) - fresh,
            tokens_padded=tile.rows * tile.width - sum(map(len, suffixes)),
            seconds=time.perf_counter() - began,
        )


class _Prefix:
    """Keys and values of one prefix, [1, heads, P, width] a layer."""

    def __init__(self, state: DynamicCache) -> None:
        layers: list[Any] = list(state.layers)
        self.layers: list[tuple[torch.Tensor, torch.Tensor]] = [(x.keys, x.values) for x in layers]
        self.bytes = sum(k.nbytes + v.nbytes for k, v in self.layers)

    def expand(self, rows: int) -> DynamicCache:
        """A cache of `rows` rows that starts with this prefix; the prefix itself stays as it is."""
        state = DynamicCache()
        for i, (keys, values) in enumerate(self.layers):
            state.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), i)
        return state


class _PrefixCache:
    """The most recently used prefixes within a bound of bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held = 0
        self._prefixes: OrderedDict[Tokens, _Prefix] = OrderedDict()

    def get(self, tokens: Tokens) -> _Prefix | None:
        prefix = self._prefixes.get(tokens)
        if prefix is not None:
            self._prefixes.move_to_end(tokens)
        return prefix

    def put(self, tokens: Tokens, prefix: _Prefix) -> None:
        self._prefixes[tokens] = prefix
        self._held += prefix.bytes
        while self._held > self.limit and len(self._prefixes) > 1:
            self._held -= self._prefixes.popitem(last=False)[1].bytes


class _Rows:
    """A tile's suffixes as tensors, padded on the right to its shape; spare rows repeat the first.

    `tokens` and `positions` int64 [R, W]; `mask` int64 [R, P + W]; `lengths` int64 [R];
    `last` the distinct columns of the rows' last tokens, and `last_column` [R] which of them.
    """

    def __init__(self, tile: Tile, suffixes: list[Tokens], device: torch.device) -> None:
        filled = suffixes + [suffixes[0]] * (tile.rows - len(suffixes))
        lengths = torch.tensor([len(row) for row in filled])
        tokens = torch.zeros(tile.rows, tile.width, dtype=torch.long)
        for i, row in enumerate(filled):
            tokens[i, : len(row)] = torch.tensor(row)
        columns = torch.arange(tile.width)
        shown = (columns[None] < lengths[:, None]).long()
        prefix = len(tile.prefix)
        mask = torch.cat([torch.ones(tile.rows, prefix, dtype=torch.long), shown], dim=1)
        last, last_column = torch.unique(lengths - 1, return_inverse=True)
        self.tokens, self.mask = tokens.to(device), mask.to(device)
        self.positions = (prefix + torch.minimum(columns[None], lengths[:, None] - 1)).to(device)
        self.lengths = lengths.to(device)
        self.last, self.last_column = last.to(device), last_column.to(device)


class _Draws:
    """The answers of a tile as they grow, one token a step, each row from its own stream."""

    def __init__(self, requests: list[Generate]) -> None:
        self._requests = requests
        self._tokens: list[list[int]] = [[] for _ in requests]
        self._logs = np.zeros(len(requests))
        self._finished = [False] * len(requests)
        self._open = np.arange(len(requests))
        self._temperatures = np.array([r.sampling_temperature for r in requests])
        self._uniforms = [keyed_generator(r.key).random(r.max_tokens) for r in requests]
        self._step = 0

    def take(self, logits: np.ndarray) -> np.ndarray | None:
        """Draw each open row's next token from logits float [R, V]; None once all have ended."""
        readable = np.isfinite(logits[self._open].max(axis=1))
        self._logs[self._open[~readable]] = math.nan  # what cannot be read ends, unfinished
        rows = self._open[readable]
        chosen = self._draw(rows, logits[rows].astype(np.float64))
        drawn = np.zeros(len(self._requests), dtype=np.int64)
        drawn[rows] = chosen
        going = [self._append(row, token) for row, token in zip(rows.tolist(), chosen, strict=True)]
        self._open = rows[np.array(going, dtype=np.bool_)]
        self._step += 1
        return drawn if len(self._open) else None

    def replies(self) -> tuple[Generated, ...]:
        """The answers."""
        return tuple(
            Generated(tuple(tokens), finished, log)
            for tokens, finished, log in zip(
                self._tokens, self._finished, self._logs.tolist(), strict=True
            )
        )

    def _draw(self, rows: np.ndarray, logits: np.ndarray) -> list[int]:
        """By inversion of the distribution function, in float64 and a fixed order."""
        scaled = logits / self._temperatures[rows, None]
        weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        cumulative = np.cumsum(weights, axis=1)
        total = cumulative[:, -1]
        points = np.array([self._uniforms[row][self._step] for row in rows]) * total
        chosen = (cumulative <= points[:, None]).sum(axis=1).clip(max=logits.shape[1] - 1)
        self._logs[rows] += np.log(weights[np.arange(len(rows)), chosen] / total)
        tokens: list[int] = chosen.tolist()
        return tokens

    def _append(self, row: int, token: int) -> bool:
        """Put a token to a row's answer; does the row go on?"""
        request, tokens = self._requests[row], self._tokens[row]
        if token in request.stops:
            self._finished[row] = True
            return False
        tokens.append(token)
        if token in request.endings:
            self._finished[row] = True
            return False
        return len(tokens) < request.max_tokens


def _option_columns(requests: list[Score]) -> list[set[int]]:
    """Columns whose logits each request's options are read from."""
    return [
        {len(request.suffix) - 1 + i for option in request.options for i in range(len(option))}
        for request in requests
    ]
