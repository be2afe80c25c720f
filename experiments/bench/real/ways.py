"""Ways to do the work with one loaded model: the host's, and transformers' two.

Dimensions: N requests, O options of one, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Generate, Generated, HostRequest, Score, Scored, Tokens, Work
from mgptn.agents.tiles import plan, rows_of
from mgptn.experiments.bench.real.trimming import trimmed

BATCH = 32
"""Rows of a batch of transformers'; prompts of like lengths together."""

Masses = tuple[tuple[float, ...], ...]
"""[N, O], log-probabilities of options; NaN where a way does not say them."""


class Way(Protocol):
    """How a model is run; beginning with nothing remembered of earlier work, if told to forget."""

    def answer(self, requests: Sequence[Generate]) -> list[Tokens]:
        """Greedy answers, without what ended them."""
        ...

    def grade(self, requests: Sequence[Score]) -> Masses:
        """What graders' options have."""
        ...

    def forget(self) -> None:
        """Keep nothing of prompts."""
        ...


class Ours:
    """The host, as a run has it."""

    def __init__(self, settings: HostSettings, slots: int) -> None:
        self.host = TransformersHost(settings)
        self.slots = slots
        self.work: list[Work] = []

    def answer(self, requests: Sequence[Generate]) -> list[Tokens]:
        """Greedy answers."""
        replies = self._run(requests)
        return [reply.tokens for reply in replies if isinstance(reply, Generated)]

    def grade(self, requests: Sequence[Score]) -> Masses:
        """What graders' options have."""
        replies = self._run(requests)
        return tuple(reply.log_probabilities for reply in replies if isinstance(reply, Scored))

    def forget(self) -> None:
        """Keep no block of a prefix."""
        self.host.forget_prefixes()

    def _run(self, requests: Sequence[HostRequest]) -> list[Any]:
        planned = plan(requests, self.host.weights, self.slots)
        replies = [run_tile(self.host, tile) for tile in planned.tiles]
        self.work = [reply.work for reply in replies]
        return planned.collect(replies)


class Generating:
    """transformers' `generate()` with its cache, and one forward pass a batch for grades."""

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), attn_implementation="sdpa"
        )
        self.model = loaded.to(device).eval()
        self.device = device

    def answer(self, requests: Sequence[Generate]) -> list[Tokens]:
        """Greedy answers, in batches padded on the left."""
        from transformers import GenerationConfig

        found: dict[int, Tokens] = {}
        for some in _batches([len(r.prefix + r.suffix) for r in requests]):
            asked = [requests[i] for i in some]
            tokens, mask = self._padded([r.prefix + r.suffix for r in asked])
            ends = sorted({end for r in asked for end in (*r.stops, *r.endings)})
            written = self.model.generate(
                tokens,
                attention_mask=mask,
                generation_config=GenerationConfig(
                    do_sample=False,
                    max_new_tokens=max(r.max_tokens for r in asked),
                    eos_token_id=ends or None,
                    pad_token_id=0,
                ),
            )
            rows = written[:, tokens.shape[1] :].tolist()
            found |= {i: trimmed(row, requests[i]) for i, row in zip(some, rows, strict=True)}
        return [found[i] for i in range(len(requests))]

    def grade(self, requests: Sequence[Score]) -> Masses:
        """What graders' options have: whole prompts in batches padded on the left."""
        import torch

        rows = [
            (i, row[len(r.suffix) :], r.prefix + row)
            for i, r in enumerate(requests)
            for row in rows_of(r)
        ]
        logs: dict[tuple[int, Tokens], Any] = {}
        for some in _batches([len(whole) for _, _, whole in rows]):
            tokens, mask = self._padded([rows[j][2] for j in some])
            reads = 1 + max(len(rows[j][1]) for j in some)
            places = (mask.cumsum(-1) - 1).clamp(min=0)
            with torch.inference_mode():
                made = self.model(
                    tokens, attention_mask=mask, position_ids=places,
                    use_cache=False, logits_to_keep=reads,
                ).logits  # fmt: skip
                shares = made.float().log_softmax(-1).cpu()
            for j, share in zip(some, shares, strict=True):
                request, start, _ = rows[j]
                logs[request, start] = share[reads - 1 - len(start) :]
        return tuple(
            tuple(
                sum(float(logs[i, option[:-1]][at, token]) for at, token in enumerate(option))
                for option in request.options
            )
            for i, request in enumerate(requests)
        )

    def forget(self) -> None:
        """Nothing is remembered."""

    def _padded(self, rows: Sequence[Tokens]) -> tuple[Any, Any]:
        """Tokens and mask, int64 tensors [rows, longest]."""
        import torch

        longest = max(map(len, rows))
        tokens = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for i, row in enumerate(rows):
            tokens[i, longest - len(row) :] = torch.tensor(row)
            mask[i, longest - len(row) :] = 1
        return tokens.to(self.device), mask.to(self.device)


class Continuous(Generating):
    """transformers' continuous batching, which keeps blocks of prompts that begin alike.

    It does not say what options have: a grade is the likeliest token, which costs the same.
    """

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        super().__init__(folder, device, dtype)
        logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)

    def answer(self, requests: Sequence[Generate]) -> list[Tokens]:
        """Greedy answers."""
        ends = sorted({end for r in requests for end in (*r.stops, *r.endings)})
        prompts = [r.prefix + r.suffix for r in requests]
        written = self._written(prompts, max(r.max_tokens for r in requests), ends)
        return [trimmed(row, r) for row, r in zip(written, requests, strict=True)]

    def grade(self, requests: Sequence[Score]) -> Masses:
        """Nothing of what options have."""
        self._written([r.prefix + r.suffix for r in requests], 1, [])
        return tuple((math.nan,) * len(r.options) for r in requests)

    def _written(self, prompts: list[Tokens], most: int, ends: list[int]) -> list[list[int]]:
        from transformers import ContinuousBatchingConfig, GenerationConfig

        page = 64
        blocks = 1 + sum(-(-(len(p) + most) // page) for p in prompts)
        found = self.model.generate_batch(
            [list(prompt) for prompt in prompts],
            generation_config=GenerationConfig(
                do_sample=False, max_new_tokens=most, eos_token_id=ends or -1, pad_token_id=0
            ),
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=page, num_blocks=blocks, max_batch_tokens=2048
            ),
            warmup=False,
        )
        in_order = sorted(found.items(), key=lambda pair: int(pair[0].rpartition("_")[2]))
        return [list(one.generated_tokens) for _, one in in_order]


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Indices in batches of like lengths."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
