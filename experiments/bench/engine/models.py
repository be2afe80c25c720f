"""Models with random weights to measure an engine on, and what is asked of them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Generate, HostRequest, Score, Tokens

WEIGHTS = "random"
"""In place of a weights' hash."""

OPTIONS: tuple[Tokens, ...] = ((3,), (4,), (5,), (6,), (7,))


@dataclass(frozen=True, slots=True)
class Shape:
    """A model to be made: a kind of transformers', and its configuration."""

    name: str
    kind: str
    settings: dict[str, int]


def _llama(name: str, layers: int, width: int, vocabulary: int) -> Shape:
    settings = {
        "num_hidden_layers": layers,
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_attention_heads": width // 32,
        "num_key_value_heads": width // 32,
        "vocab_size": vocabulary,
        "max_position_embeddings": 1024,
    }
    return Shape(name, "Llama", settings)


def _qwen(name: str, width: int) -> Shape:
    settings = {
        "num_hidden_layers": 28,
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151_936,
        "max_position_embeddings": 4096,
    }
    return Shape(name, "Qwen3", settings)


SHAPES: dict[str, tuple[Shape, ...]] = {
    "cpu": (
        _llama("1 M", layers=4, width=128, vocabulary=41),
        _llama("7 M", layers=7, width=256, vocabulary=41),
        _llama("31 M", layers=7, width=512, vocabulary=4096),
    ),
    "cuda": (_qwen("0.6 B", width=1024), _qwen("1.7 B", width=2048)),
}


class Subject:
    """One model twice: as transformers runs it, and in a host."""

    def __init__(self, shape: Shape, device: str, dtype: str) -> None:
        import torch
        import transformers

        torch.manual_seed(0)
        config = getattr(transformers, f"{shape.kind}Config")(
            **shape.settings,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=None,
            pad_token_id=0,
        )
        self.shape = shape
        self.plain: Any = (
            transformers.AutoModelForCausalLM.from_config(
                config, dtype=getattr(torch, dtype), attn_implementation="sdpa"
            )
            .to(device)
            .eval()
        )
        self.host = TransformersHost.of_model(self.another(), WEIGHTS)
        self.parameters = sum(p.numel() for p in self.plain.parameters())

    def another(self) -> Any:
        """The same model once more."""
        return copy.deepcopy(self.plain)


def texts(rng: np.random.Generator, count: int, length: int) -> list[Tokens]:
    """Random tokens that no option or marker is among."""
    return [tuple(row) for row in rng.integers(8, 40, size=(count, length)).tolist()]


def answer_requests(prefix: Tokens, suffixes: list[Tokens], max_tokens: int) -> list[HostRequest]:
    """Answers of a fixed length."""
    return [Generate(prefix, s, (), max_tokens, 1.0, (0, i)) for i, s in enumerate(suffixes)]


def grade_requests(contexts: list[Tokens], suffixes: list[Tokens]) -> list[HostRequest]:
    """Every context's grade of every suffix."""
    return [Score(context, suffix, OPTIONS) for context in contexts for suffix in suffixes]
