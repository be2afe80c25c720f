"""Attention over a prefix that all rows share and over each row's own tokens, merged exactly.

It is registered with transformers under the name `NAME`, so that any model which takes an
attention function is served, and neither masks nor caches of transformers are made.

Dimensions: A layers, R rows, W new tokens of a row, H heads, G heads of keys and values, P tokens
of the prefix, S columns of a row's own keys, D width of a head.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "mgptn"

REFUSED = ("softcap", "s_aux", "position_bias", "sliding_window")
"""What some models ask of attention beside full attention."""

Part = tuple[torch.Tensor, torch.Tensor]
"""Attention over a part of the keys: output [R, W, H, D], and logarithm of the sum of exponentials
of scores, float32 [R, W, H]."""

_aten = torch.ops.aten


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
    """

    def __init__(self) -> None:
        self.prefix: torch.Tensor | None = None
        self.shown: torch.Tensor | None = None
        self.own: torch.Tensor | None = None
        self.flat: torch.Tensor | None = None
        self.mask: torch.Tensor | None = None
        self.fresh: list[torch.Tensor] = []

    def attend(
        self,
        layer: int,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float | None,
    ) -> torch.Tensor:
        """Output [R, W, H, D] of query [R, H, W, D] and new keys and values [R, G, W, D]."""
        if self.own is None:
            self.fresh += [key, value]
            out, log = over(query, key, value, scale, causal=True)
        else:
            assert self.flat is not None
            keys, values = self.own[layer]
            width = keys.shape[-1]
            keys.view(-1, width).index_copy_(0, self.flat, key.reshape(-1, width))
            values.view(-1, width).index_copy_(0, self.flat, value.reshape(-1, width))
            assert self.mask is not None
            keys, values = (t[:, :, : self.mask.shape[-1]] for t in (keys, values))
            out, log = over(query, keys, values, scale, mask=self.mask)
        if self.prefix is not None:
            rows, heads, width, _ = query.shape
            # To the prefix, the tokens of all rows are one long row.
            long = query.transpose(1, 2).flatten(0, 1).unsqueeze(0).transpose(1, 2)
            keys, values = self.prefix[layer].unsqueeze(1)
            beside, other = over(long, keys, values, scale, mask=self.shown)
            share = torch.sigmoid(other.view(rows, width, heads) - log).unsqueeze(-1)
            beside = beside.view(rows, width, heads, -1)
            out = torch.lerp(out.float(), beside.float(), share).to(query.dtype)
        return out


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
        If the model asks for more than full attention.
    """
    for name in REFUSED:
        if further.get(name) is not None:
            raise NotImplementedError(f"expected plain full attention, got one with {name}")
    state: Any = module.engine_state
    layer: Any = module.layer_idx
    return state.attend(layer, query, key, value, scaling), None


def over(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float | None,
    *,
    causal: bool = False,
    mask: torch.Tensor | None = None,
) -> Part:
    """Attention over some keys, by the fastest kernel that says the sum of exponentials too."""
    if query.device.type == "cpu":
        out, log = _aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, causal, attn_mask=mask, scale=scale
        )
        return out.transpose(1, 2), log.transpose(1, 2)
    if mask is None and query.dtype in (torch.bfloat16, torch.float16):
        key, value = (_spread(t, query.shape[1]) for t in (key, value))
        out, log, *_ = _aten._scaled_dot_product_flash_attention(
            query, key, value, 0.0, causal, scale=scale
        )
        return out.transpose(1, 2), log.transpose(1, 2)
    return over_plainly(query, key, value, scale, causal=causal, mask=mask)


def over_plainly(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float | None,
    *,
    causal: bool = False,
    mask: torch.Tensor | None = None,
) -> Part:
    """As `over`, in matrix products: for devices without such a kernel, and to hold it against."""
    key, value = (_spread(t, query.shape[1]) for t in (key, value))
    scores = (query @ key.mT).float() * (query.shape[-1] ** -0.5 if scale is None else scale)
    if causal:
        width = query.shape[2]
        later = torch.ones(width, width, dtype=torch.bool, device=query.device).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    if mask is not None:
        scores = scores + mask
    log = scores.logsumexp(-1)
    out = (scores - log.unsqueeze(-1)).exp().to(value.dtype) @ value
    return out.transpose(1, 2), log.transpose(1, 2)


def _spread(heads: torch.Tensor, count: int) -> torch.Tensor:
    """Keys or values [·, G, ·, D] for each of `count` heads of queries."""
    if heads.shape[1] == count:
        return heads
    return heads.repeat_interleave(count // heads.shape[1], dim=1)


def _no_mask(*_: Any, **__: Any) -> None:
    """transformers need not make a mask."""


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, _no_mask)
