"""Attention over a prefix that all rows share and over each row's own tokens, merged exactly.

Any model which takes an attention function is served, and neither masks nor caches of transformers
are made (`mgptn.agents.layers.registration`). A window is a mask over both parts; sinks are one
more score, that belongs to no token, in the sum of both.

Dimensions: A layers, R rows, W new tokens of a row, H heads, G heads of keys and values, P tokens
of the prefix, S columns of a row's own keys, D width of a head.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad

from mgptn.agents.layers.kernels import HIDDEN, Part, over, over_blocks, over_plainly
from mgptn.agents.layers.rows import wholly
from mgptn.agents.tiles import LEAST_ROWS

NAME = "mgptn"

HEAD_STEP = 8
"""On a processor heads are as wide as a multiple of so many numbers: of products of some keys with
narrower ones, or with ones that are no multiple of four, rows show their places."""

REFUSED = ("position_bias",)
"""What some models ask of attention beside what is done here."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a layer asks of attention beside plain full attention.

    Attributes
    ----------
    window
        Tokens that one sees, itself included; None for all up to it.
    cap
        Of scores s, cap · tanh(s / cap) counts; None for scores as they are.
    sinks
        [H], a score of no token's beside those of the keys; None without.
    """

    window: int | None = None
    cap: float | None = None
    sinks: torch.Tensor | None = None


PLAIN = Asked()


class AttentionState:
    """What the attention of one model works on: set before each forward pass.

    Attributes
    ----------
    prefix
        [A, 2, G, P, D], keys and values that all rows share; None without a prefix.
    shown
        float [P], added to the scores of the prefix; None where all of it is there.
    own
        [A, 2, R, G, S, D], keys and values of the rows themselves, which a step adds to; None
        while new tokens are read, whose keys and values are collected in `fresh` instead.
    flat
        int64 [R · G], where in R · G · S a step's keys and values belong.
    mask
        float [R, 1, 1, n ≤ S], added to the scores of the first n of a row's own keys in a step.
    windows
        Those that layers have asked for since the model was loaded.
    """

    def __init__(self) -> None:
        self.windows: set[int] = set()
        self.begin(None)

    def begin(self, prefix: torch.Tensor | None) -> None:
        """Before a pass over new tokens."""
        self.prefix = prefix
        self.shown: torch.Tensor | None = None
        self.own: torch.Tensor | None = None
        self.flat: torch.Tensor | None = None
        self.mask: torch.Tensor | None = None
        self.fresh: list[torch.Tensor] = []
        self._masks: dict[int | None, tuple[torch.Tensor, torch.Tensor | None]] = {}

    def beyond(self, width: int, prefix: torch.Tensor | None) -> tuple[bool, ...]:
        """Of each window: do W new tokens, or some, see less than all before them?"""
        end = width + (0 if prefix is None else prefix.shape[3])
        return tuple(end > window for window in sorted(self.windows))

    def attend(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float | None,
        asked: Asked = PLAIN,
    ) -> torch.Tensor:
        """Output [R, W, H, D] of query [R, H, W, D] and new keys and values [R, G, W, D]."""
        own, before = self._masks_of(asked, query)
        if self.own is None:
            self.fresh += [key, value]
            out, log = _part(query, key, value, scale, own, asked.cap, stepping=False)
        else:
            assert self.flat is not None
            assert self.mask is not None
            keys, values = self.own[layer]
            width = keys.shape[-1]
            keys.view(-1, width).index_copy_(0, self.flat, key.reshape(-1, width))
            values.view(-1, width).index_copy_(0, self.flat, value.reshape(-1, width))
            keys, values = (t[:, :, : self.mask.shape[-1]] for t in (keys, values))
            out, log = _part(query, keys, values, scale, own, asked.cap, stepping=True)
        if self.prefix is not None:
            rows, heads, width, _ = query.shape
            # To the prefix, the tokens of all rows are one long row.
            long = query.transpose(1, 2).flatten(0, 1).unsqueeze(0).transpose(1, 2)
            keys, values = self.prefix[layer].unsqueeze(1)
            if asked.cap is None:
                beside, other = over(long, keys, values, scale, mask=before)
            else:
                beside, other = over_plainly(long, keys, values, scale, mask=before, cap=asked.cap)
            other = other.view(rows, width, heads)
            share = wholly(torch.sigmoid, other - log, LEAST_ROWS).unsqueeze(-1)
            beside = beside.view(rows, width, heads, -1)
            out = torch.lerp(out.float(), beside.float(), share).to(query.dtype)
            if asked.sinks is not None:
                log = torch.logaddexp(log, other)
        if asked.sinks is not None:
            share = wholly(torch.sigmoid, log - asked.sinks.float(), LEAST_ROWS).unsqueeze(-1)
            out = (out.float() * share).to(out)
        return out

    def _masks_of(
        self, asked: Asked, query: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """What is added to scores of a row's own keys, and of the prefix's; None while rows are
        read: causally, and all of the prefix."""
        plain = self.mask, self.shown
        if self.own is None:
            window = asked.window
            if window is not None:
                self.windows.add(window)
                if not self._sees_less(window, query.shape[2]):
                    window = None
            if window is None and asked.cap is None:
                return plain
        elif asked.window is None:
            return plain
        else:
            window = asked.window
            self.windows.add(window)
        if window not in self._masks:
            make = self._reading_masks if self.own is None else self._step_masks
            self._masks[window] = make(window, query)
        return self._masks[window]

    def _sees_less(self, window: int, width: int) -> bool:
        return width + (0 if self.prefix is None else self.prefix.shape[3]) > window

    def _reading_masks(
        self, window: int | None, query: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """For W tokens after the prefix: [1, 1, W, W], and [1, 1, R · W, P]."""
        rows, _, width, _ = query.shape
        place = torch.arange(width, device=query.device).unsqueeze(-1)
        behind = place - place.mT
        hidden = behind < 0
        if window is not None:
            hidden = hidden | (behind >= window)
        own = _hiding(hidden, query).view(1, 1, width, width)
        if self.prefix is None or window is None:
            return own, None
        column = _columns(self.prefix)
        far = place + (column[-1] + 1 - column) >= window
        return own, _hiding(far, query).repeat(rows, 1).unsqueeze(0).unsqueeze(0)

    def _step_masks(
        self, window: int | None, query: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """For one token of each row: [R, 1, 1, n], and [1, 1, R, P]."""
        assert self.own is not None
        assert self.flat is not None
        assert self.mask is not None
        assert window is not None
        place = self.flat.view(len(query), -1)[:, :1] % self.own.shape[4]  # in a row of its own
        column = torch.arange(self.mask.shape[-1], device=query.device)
        own = self.mask + _hiding(place - column >= window, query)[:, None, None]
        if self.prefix is None:
            return own, None
        column = _columns(self.prefix)
        length = column[-1] + 1 if self.shown is None else (self.shown == 0).sum()
        before = _hiding(place + (length - column) >= window, query)
        if self.shown is not None:
            before = before + self.shown
        return own, before.unsqueeze(0).unsqueeze(0)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **further: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in each layer.

    Raises
    ------
    NotImplementedError
        If the model asks for more than is done here.
    """
    for name in REFUSED:
        if further.get(name) is not None:
            raise NotImplementedError(f"expected attention without {name}, got one with it")
    window = further.get("sliding_window")
    asked = Asked(window or None, further.get("softcap"), further.get("s_aux"))
    state: Any = module.engine_state
    layer: Any = module.layer_idx
    wide, narrow = query.shape[-1], value.shape[-1]
    kept = max(wide, narrow)  # keys and values are kept side by side
    if query.device.type == "cpu":
        kept = -(-kept // HEAD_STEP) * HEAD_STEP
    if kept > wide:
        scaling = wide**-0.5 if scaling is None else scaling
        query, key = (pad(t, (0, kept - wide)) for t in (query, key))
    if kept > narrow:
        value = pad(value, (0, kept - narrow))
    out = state.attend(layer, query, key, value, scaling, asked)
    return out if kept == narrow else out[..., :narrow].contiguous(), None


def _part(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float | None,
    mask: torch.Tensor | None,
    cap: float | None,
    *,
    stepping: bool,
) -> Part:
    """Over a row's own keys: causally where there is no mask, of which none is without a step."""
    if cap is None:
        return over(query, key, value, scale, causal=mask is None, mask=mask)
    assert mask is not None
    if stepping:  # how many keys there are is others' doing
        return over_blocks(query, key, value, scale, mask, cap)
    return over_plainly(query, key, value, scale, mask=mask, cap=cap)


def _columns(prefix: torch.Tensor) -> torch.Tensor:
    """0, 1, … of a prefix's tokens: int64 [P], in a trace too."""
    return torch.ones_like(prefix[0, 0, 0, :, 0], dtype=torch.long).cumsum(0) - 1


def _hiding(hidden: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    mask = torch.zeros(hidden.shape, dtype=query.dtype, device=query.device)
    return mask.masked_fill(hidden, HIDDEN)
