"""A host of a model in a folder, what it is asked, and what transformers says to the same."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Generate, HostRequest, Score, Tokens
from mgptn.agents.tiles import plan


def host_of(folder: Path, dtype: str = "float32") -> TransformersHost:
    """As a run would start it."""
    weights = find_checkpoint(str(folder)).weights
    return TransformersHost(HostSettings(str(folder), weights, dtype=dtype))


def answered(host: TransformersHost, requests: Sequence[HostRequest], slots: int = 8) -> list[Any]:
    """Replies in the order of the requests."""
    planned = plan(requests, host.weights, slots)
    return planned.collect([run_tile(host, tile) for tile in planned.tiles])


def text(count: int, seed: int = 3) -> Tokens:
    """Random tokens of a vocabulary of 260, none of them special."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(3, 250, (count,), generator=generator).tolist())


class Plain:
    """A folder's model as transformers runs it, whole texts without a cache."""

    def __init__(self, folder: Path) -> None:
        self.model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            folder, attn_implementation="eager"
        ).eval()

    @torch.inference_mode()
    def log_probabilities(self, tokens: Tokens) -> torch.Tensor:
        """Of the next token, [V]."""
        logits = self.model(input_ids=torch.tensor([tokens]), use_cache=False).logits
        found: torch.Tensor = logits[0, -1].float().log_softmax(-1)
        return found

    def greedy(self, tokens: Tokens, count: int) -> Tokens:
        """The likeliest next tokens, one after another."""
        whole = tokens
        for _ in range(count):
            whole = (*whole, int(self.log_probabilities(whole).argmax()))
        return whole[len(tokens) :]

    @torch.inference_mode()
    def generated(self, tokens: Tokens, count: int) -> Tokens:
        """As `greedy`, by transformers' own loop and cache."""
        made = self.model.generate(
            torch.tensor([tokens]), attention_mask=torch.ones(1, len(tokens), dtype=torch.long),
            do_sample=False, max_new_tokens=count, min_new_tokens=count, eos_token_id=None,
        )  # fmt: skip
        return tuple(made[0, len(tokens) :].tolist())


def whole(prefix: Tokens, suffix: Tokens, vocabulary: int = 260) -> Score:
    """Asks for the log-probability of every token."""
    return Score(prefix, suffix, tuple((token,) for token in range(vocabulary)))


def greedily(prefix: Tokens, suffix: Tokens, count: int) -> Generate:
    """Asks for the likeliest tokens."""
    return Generate(prefix, suffix, (), count, 1.0, (0, count), top_k=1)
