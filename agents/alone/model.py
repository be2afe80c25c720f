"""A causal model of any kind, a text at a time, by transformers' own attention and cache.

No other text is ever beside one, so none can have a share in its bits. What a text begins with is
kept as transformers' cache of it, which may be keys and values or the state of a recurrence, and
copied for each text that goes on from there. Not every model can go on: how it can is found out
when it is loaded.

Dimensions: T tokens of a text, n new ones, V vocabulary, I places that are read.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from mgptn.agents.checkpoints import CheckpointError
from mgptn.agents.engine.loading import load_whole
from mgptn.agents.engine.probing import (
    FAILURES,
    FAITHFUL,
    LONG,
    Probe,
    check_causal,
    narrowed,
    probe,
    same_bits,
    text_of,
)  # fmt: skip
from mgptn.agents.requests import Tokens

CACHES = ("past_key_values", "cache_params", "state", "mems")
"""By which names models return what they remember of a text, and take it."""

CHUNK = 256
"""Tokens that are read at once of a long text: what attention takes of memory grows with them."""

Way = Literal["at once", "step by step", "anew"]
"""How a model goes on from what it remembers: new tokens together, one by one, or not at all, so
that the whole text is read again."""

WAYS: tuple[Way, ...] = ("at once", "step by step", "anew")
"""From the fastest to the slowest."""


@dataclass(frozen=True, slots=True)
class Past:
    """What has been read of a text: its tokens, and what a model remembers of them, if it does."""

    tokens: Tokens = ()
    cache: Any = None

    @property
    def nbytes(self) -> int:
        """Bytes of what is remembered."""
        return sum(tensor.nbytes for tensor in _tensors(self.cache, set()))


NOTHING = Past()


class Alone:
    """A causal language model on one device, one text at a time.

    Attributes
    ----------
    way
        How it goes on from what it remembers.

    Raises
    ------
    CheckpointError
        If weights are missing, or it is not causal, or says something else of a text the second
        time.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        model = load_whole(folder, dtype)
        self.model: Any = model.to(device).eval().requires_grad_(False)
        self.device = device
        self._taken = set(inspect.signature(type(model).forward).parameters)
        with torch.inference_mode():
            self.way = self._find_way(str(folder))

    def read(self, past: Past, tokens: Tokens, places: int = 1) -> tuple[torch.Tensor, Past]:
        """Read on.

        Parameters
        ----------
        past
            What has been read; it stays as it is.
        tokens
            n ≥ 1 new ones.
        places
            I ≤ n, how many of the last ones' logits are wanted.

        Returns
        -------
        logits, past
            [I, V]; what has been read now.
        """
        return self._read(Past(past.tokens, copy.deepcopy(past.cache)), tokens, places)

    def read_on(self, past: Past, token: int) -> tuple[torch.Tensor, Past]:
        """As `read`, of one token; what has been read before is used up."""
        return self._read(past, (token,), 1)

    def _read(self, past: Past, tokens: Tokens, places: int) -> tuple[torch.Tensor, Past]:
        whole = past.tokens + tokens
        if self.way == "anew":
            return self._call(whole, None, places)[0], Past(whole)
        found, cache = [], past.cache
        step = CHUNK if self.way == "at once" else 1
        if self.way == "step by step" and cache is None:
            step = len(tokens)
        for start in range(0, len(tokens), step):
            here = tokens[start : start + step]
            logits, cache = self._call(here, cache, min(places, len(here)))
            found.append(logits)
        return torch.cat(found)[-places:], Past(whole, cache)

    def _call(self, tokens: Tokens, cache: Any, places: int) -> tuple[torch.Tensor, Any]:
        given: dict[str, Any] = {"use_cache": self.way != "anew"}
        if cache is not None:
            name, content = cache
            given[name] = content
        if "logits_to_keep" in self._taken:
            given["logits_to_keep"] = places
        ids = torch.tensor([tokens], device=self.device)
        out = self.model(input_ids=ids, **{k: v for k, v in given.items() if k in self._taken})
        kept = next(
            (
                (name, found)
                for name in CACHES
                if name in self._taken and (found := getattr(out, name, None)) is not None
            ),
            None,
        )
        return out.logits[0, -places:], None if self.way == "anew" else kept

    def _find_way(self, where: str) -> Way:
        """The fastest in which it says what it says of the whole text, twice."""
        with narrowed(self.model):
            known = probe(self.model, text_of(self.model, LONG))
            check_causal(self.model, known, where)
            tokens = tuple(known.tokens[0].tolist())
            reasons, exact = [], self.model.dtype == torch.float32
            for self.way in WAYS:
                try:
                    missed = self._try(known, tokens)
                except torch.OutOfMemoryError:
                    raise
                except FAILURES as error:
                    reasons.append(f"{self.way}: {type(error).__name__}: {error}")
                    continue
                if missed <= (FAITHFUL if exact else 1.0):
                    return self.way
                reasons.append(f"{self.way}: off by {missed:.3g} times what is allowed")
        raise CheckpointError(
            f"agents.model: expected a model that says the same of a text however it is read, got "
            f"{where}, whose {type(self.model).__name__} does not ({'; '.join(reasons)})"
        )

    def _try(self, known: Probe, tokens: Tokens) -> float:
        """How far logits are off after a prefix, of a rest, and step by step.

        Raises
        ------
        ValueError
            If the text has other bits after another one was read.
        """
        before, read = len(tokens) // 2, len(tokens) * 3 // 4
        found = []
        for other in (1, 2):
            _, begun = self.read(NOTHING, tokens[:before])
            logits, past = self.read(begun, tokens[before:read], read - before)
            whole = [logits]
            for token in tokens[read:]:
                logits, past = self.read_on(past, token)
                whole.append(logits)
            found.append(torch.cat(whole))
            elsewhere = tuple(text_of(self.model, LONG, other)[0].tolist())
            self.read(begun, elsewhere[: len(tokens) // 4])
        first, second = found
        if not same_bits(first, second):
            raise ValueError("what was read before shows in its bits")
        return known.missed(before, first)


def _tensors(held: Any, seen: set[int]) -> Iterator[torch.Tensor]:
    """All tensors within what a model remembers, each once."""
    if id(held) in seen:
        return
    seen.add(id(held))
    if isinstance(held, torch.Tensor):
        yield held
        return
    if isinstance(held, dict):
        parts = list(held.values())
    elif isinstance(held, list | tuple):
        parts = list(held)
    elif hasattr(held, "__dict__") and not isinstance(held, type):
        parts = list(vars(held).values())
    else:
        return
    for part in parts:
        yield from _tensors(part, seen)
