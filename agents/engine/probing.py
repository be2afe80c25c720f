"""What a loaded model is held to before it is served: texts, and its own logits on them.

A short text fits into any window. A long one is longer than every window; so that it need not have
thousands of tokens, windows are narrowed while it is read, by the model itself and by whoever is
held against it.

Dimensions: T tokens of a text, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from mgptn.agents.checkpoints import CheckpointError

SHORT, LONG = 12, 40
"""Tokens of a text."""

NARROW = 6
"""Tokens of a window while a long text is read."""

WINDOWS = (
    "sliding_window", "attention_window_size", "attention_chunk_size", "local_attention",
    "window_size",
)  # fmt: skip
"""By which configurations and layers say how far a token sees."""

PLACES = ("max_position_embeddings", "n_positions", "max_seq_len")
"""By which configurations say how long a text may be."""

FAILURES = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip
"""What a model's own code may raise where it is run otherwise than it was made for."""

EXACT, ROUNDED = 1e-3, 0.1
"""How far logits may be from each other, beside one and the greatest: in float32, and else."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A text, and what a model makes of it.

    Attributes
    ----------
    tokens
        int64 [1, T].
    logits
        float32 [T, V], from transformers' own plain attention, without a cache.
    slack
        How far others may be from them, beside one and the greatest.
    """

    tokens: torch.Tensor
    logits: torch.Tensor
    slack: float

    def missed(self, start: int, logits: torch.Tensor) -> float:
        """How far logits [·, V] of the tokens from a place on are from the model's own, in parts
        of what is allowed: at most 1 are none."""
        known, found = self.logits[start : start + len(logits)], logits.float()
        readable = torch.isfinite(known) & torch.isfinite(found)
        found, known = (t.where(readable, 0.0) for t in (found, known))
        allowed = self.slack * (1.0 + known.abs().max().item())
        return (found - known).abs().max().item() / allowed


FAITHFUL = 0.1
"""Of what is allowed in float32, how far a way to run a model may be off where another is at hand:
sums in another order are far less, and a state or a mask that is not quite right is more."""


def text_of(model: Any, length: int, seed: int = 0) -> torch.Tensor:
    """Tokens int64 [1, T] that a model has embeddings for; fewer where it has no more places."""
    rows, said = vocabulary(model), model.config.get_text_config()
    places = [getattr(said, name, None) for name in PLACES]
    length = min([length, *(count for count in places if isinstance(count, int) and count > 0)])
    place = torch.arange(length)
    tokens = 1 + (place * 7 + place * place * 3 + seed * 5) % max(1, min(rows, 997) - 1)
    return tokens.remainder(rows).unsqueeze(0).to(next(model.parameters()).device)


def vocabulary(model: Any) -> int:
    """Tokens that a model has embeddings for."""
    return int(model.get_input_embeddings().weight.shape[0])


def probe(model: Any, tokens: torch.Tensor) -> Probe:
    """What a loaded model makes of a text, as transformers runs it."""
    logits = model(input_ids=tokens, use_cache=False).logits[0]
    slack = EXACT if next(model.parameters()).dtype == torch.float32 else ROUNDED
    return Probe(tokens, logits.float(), slack)


def same_bits(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Are two tensors the same, what is no number in one being none in the other?"""
    alike = torch.equal(first.isnan(), second.isnan())
    return alike and torch.equal(first.nan_to_num(), second.nan_to_num())


def check_causal(model: Any, whole: Probe, where: str) -> None:
    """What a token is followed by does not change what a model makes of it.

    Raises
    ------
    CheckpointError
        If it does.
    """
    half = whole.tokens.shape[1] // 2
    logits = model(input_ids=whole.tokens[:, :half], use_cache=False).logits[0]
    if whole.missed(0, logits) > 1.0:
        raise CheckpointError(
            f"agents.model: expected a causal model, got {where}, whose {type(model).__name__} "
            "reads what follows a token too"
        )


@contextmanager
def narrowed(model: Any) -> Iterator[bool]:
    """Within, every window that is wider than `NARROW` is as narrow; yields whether one is."""
    holders: dict[int, Any] = {id(module): module for module in model.modules()}
    for module in list(holders.values()):
        config = getattr(module, "config", None)
        if config is not None:
            for one in (config, getattr(config, "text_config", None)):
                if one is not None:
                    holders[id(one)] = one
    before = [
        (holder, name, value)
        for holder in holders.values()
        for name in WINDOWS
        if isinstance(value := getattr(holder, name, None), int) and value > NARROW
    ]
    try:
        for holder, name, _ in before:
            setattr(holder, name, NARROW)
        yield bool(before)
    finally:
        for holder, name, value in before:
            setattr(holder, name, value)
