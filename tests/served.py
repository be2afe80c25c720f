"""A host of a model in a folder, what it is asked, and what transformers says to the same."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from mgptn.agents.alone.answering import OneByOne
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


@dataclass(frozen=True)
class Found:
    """How a host of a model compares with transformers, in the cases that matter.

    Attributes
    ----------
    way
        ``engine``, or how new tokens of a text are read alone.
    short, long, after_prefix
        Greatest difference of a log-probability, of a text within any window, of one beyond, and
        of a rest after a prefix of several blocks.
    greedy
        Are the likeliest tokens after a prefix, beyond a window, those of transformers?
    alone
        Are bits the same in any company, cold or warm?
    """

    way: str
    short: float
    long: float
    after_prefix: float
    greedy: bool
    alone: bool

    def __str__(self) -> str:
        return (
            f"{self.way:12}  short {self.short:.0e}  long {self.long:.0e}  "
            f"prefix {self.after_prefix:.0e}  greedy {self.greedy}  company {self.alone}"
        )

    def right(self, most: float = 1e-4) -> bool:
        """All of it as it should be."""
        return max(self.short, self.long, self.after_prefix) < most and self.greedy and self.alone


def compare(folder: Path) -> Found:
    """A folder's model, served, against transformers' own."""
    host, plain = host_of(folder), Plain(folder)
    missed = []
    for prefix, suffix in ((0, 9), (0, 50), (70, 9)):
        asked = whole(text(prefix), text(suffix, 4))
        (reply,) = answered(host, [asked], 4)
        expected = plain.log_probabilities(asked.prefix + asked.suffix)[:260]
        missed.append((torch.tensor(reply.log_probabilities) - expected).abs().max().item())
    asked_tokens = greedily(text(40), text(9, 4), 8)
    (written,) = answered(host, [asked_tokens], 4)
    expected_tokens = plain.greedy(text(40) + text(9, 4), 8)
    alone = in_any_company(host)
    way = host.way.alone.way if isinstance(host.way, OneByOne) else "engine"
    return Found(way, *missed, greedy=written.tokens == expected_tokens, alone=alone)


def in_any_company(host: TransformersHost) -> bool:
    """Are replies the same bits beside others and by themselves, cold and warm?"""
    requests: list[HostRequest] = []
    for seed in range(2):
        prefix = text(40, seed)
        for i in range(3):
            own = text(5 + 2 * i, 10 * seed + i)
            requests.append(Score(prefix, own, ((7,), (9,))))
            requests.append(Generate(prefix, own, (2,), 3 * (i + 1), 1.0, (seed, i)))
    host.forget_prefixes()
    beside = list(map(repr, answered(host, requests, 4)))
    warm = list(map(repr, answered(host, requests[::-1], 4)))[::-1]
    same = [warm == beside]
    for i in (0, 3, 11):
        host.forget_prefixes()
        same.append(repr(answered(host, [requests[i]], 4)[0]) == beside[i])
    return all(same)
