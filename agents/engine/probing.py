"""What a loaded model is held to before it is served: texts, its own logits, equal bits.

A short text fits into any window. A long one is longer than every window; so that it need not have
thousands of tokens, windows are narrowed while it is read, by the model itself and by whoever is
held against it.

Dimensions: T tokens of a text, V vocabulary; others as of `Forward`.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch

from mgptn.agents.checkpoints import BeyondEngineError, CheckpointError
from mgptn.agents.layers.rows import Rows
from mgptn.agents.tiles import LEAST_ROWS

Found = TypeVar("Found")

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


class Passes(Protocol):
    """A model's three kinds of pass, as of `Forward`, and what is known of them."""

    model: Any
    device: torch.device
    rows: Rows

    @property
    def windows(self) -> set[int]:
        """Those that layers have asked for."""

    def read_plainly(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        pick: torch.Tensor,
        prefix: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Logits and state of rows."""

    def read_block_plainly(
        self, tokens: torch.Tensor, positions: torch.Tensor, past: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, ...]:
        """State of a block."""

    def step_plainly(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        flat: torch.Tensor,
        mask: torch.Tensor,
        own: torch.Tensor,
        prefix: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Logits after one more token of each row."""


def held(check: Callable[[], tuple[float, Found]], where: str) -> Found:
    """What a check found, if logits are those of the model.

    Raises
    ------
    BeyondEngineError
        If they are not, by how far, or why none could be had.
    """
    try:
        missed, found = check()
    except torch.OutOfMemoryError:
        raise
    except FAILURES as error:
        raise BeyondEngineError(
            f"agents.model: expected a model whose attention the engine can compute, got "
            f"{where}: {type(error).__name__}: {error}"
        ) from error
    if not missed <= 1.0:
        raise BeyondEngineError(
            f"agents.model: expected a model whose attention the engine can compute, got "
            f"{where}, whose logits it misses by {missed:.3g} times what is allowed"
        )
    return found


def check_short(passes: Passes, known: Probe) -> tuple[float, torch.Size]:
    """A text's beginning as a prefix, and its rest; the shape of the beginning's keys and values,
    [A, 2, G, P, D]."""
    half = SHORT // 2
    places = torch.arange(SHORT, device=passes.device).unsqueeze(0)
    past = passes.read_block_plainly(known.tokens[:, :half], places[:, :half])[0][:, :, 0]
    logits = passes.read_plainly(
        known.tokens[:, half:], places[:, half:], places[0, : SHORT - half], past
    )[0]
    return known.missed(half, logits), past.shape


def check_long(passes: Passes, known: Probe) -> tuple[float, bool]:
    """A prefix in two blocks, a row in the company of others, further tokens step by step; in
    other company it has the same bits. Whether it has them among more rows too."""
    block, rows = LONG * 2 // 5, max(LEAST_ROWS, passes.rows.unit)
    places = torch.arange(LONG, device=passes.device).unsqueeze(0)
    past = None
    for start in (0, block):
        here = slice(start, start + block)
        given = (known.tokens[:, here], places[:, here])
        made = passes.read_block_plainly(*given, past)[0][:, :, 0]
        past = made if past is None else torch.cat([past, made], dim=3)
    assert past is not None
    # What is left over, if anything is, stands last.
    first, last, among = (
        _in_company(passes, known, past, count, row)
        for count, row in ((rows, 0), (rows, rows - 1), (3 * rows, rows + 1))
    )
    if not same_bits(first, last):
        raise NotImplementedError("its bits depend on the company it is in")
    if any(window > NARROW for window in passes.windows):
        raise NotImplementedError("its window is by a name of its own")
    return known.missed(2 * block, first), same_bits(first, among)


def beginnings_stand_alone(passes: Passes, length: int) -> bool:
    """Has a block's beginning the same bits, however long the block is? Of blocks of at most so
    many tokens: the shortest that there may be, and the longest two."""
    text = text_of(passes.model, length)
    places = torch.arange(text.shape[1], device=passes.device).unsqueeze(0)
    step = passes.rows.block_step
    lengths = range(step, text.shape[1] + 1, step)
    found = [
        passes.read_block_plainly(text[:, :end], places[:, :end])[0]
        for end in dict.fromkeys((*lengths[:1], *lengths[-2:]))
    ]
    return all(same_bits(one, found[-1][:, :, :, :, : one.shape[4]]) for one in found)


def _in_company(
    passes: Passes, known: Probe, past: torch.Tensor, rows: int, row: int
) -> torch.Tensor:
    """Logits of a text's tokens after a past, in a row among others."""
    before, width = past.shape[3], LONG // 10
    along = torch.arange(LONG, device=passes.device).expand(rows, -1)
    tokens = torch.cat([text_of(passes.model, LONG, 1 + 4 * row + r) for r in range(rows)])
    tokens[row] = known.tokens[0]
    pick = torch.arange(width, device=passes.device) + row * width
    here = slice(before, before + width)
    logits, state = passes.read_plainly(tokens[:, here], along[:, here], pick, past)
    own = state.new_zeros(*state.shape[:4], LONG - before, state.shape[5])
    own[:, :, :, :, :width] = state
    starts = torch.arange(rows * state.shape[3], device=passes.device) * own.shape[4]
    found = [logits]
    for column in range(width, LONG - before):
        mask = own.new_zeros(rows, 1, 1, own.shape[4])
        mask[..., column + 1 :] = -torch.inf
        here = slice(before + column, before + column + 1)
        given = (tokens[:, here], along[:, here], starts + column, mask, own, past)
        found.append(passes.step_plainly(*given)[0][row : row + 1])
    return torch.cat(found)
