"""Attention over some keys, with the logarithm of its sum of exponentials: parts can be merged.

Dimensions: B rows, W queries of a row, H heads, G heads of keys and values, K keys, D width of a
head, C keys of a block.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import torch
from torch.nn.functional import pad

Part = tuple[torch.Tensor, torch.Tensor]
"""Attention over a part of the keys: output [B, W, H, D], and logarithm of the sum of exponentials
of scores, float32 [B, W, H]."""

HIDDEN = -1e30
"""Added to a score, it leaves a weight of exactly 0; and where all keys are hidden, numbers."""

CAPPED_BLOCK = 64
"""Keys of a block where scores are capped: products have one shape, however many blocks there
are, and blocks that are hidden add exact zeros."""

_aten = torch.ops.aten


def over(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float | None,
    *,
    causal: bool = False,
    mask: torch.Tensor | None = None,
) -> Part:
    """Attention over some keys, by the fastest kernel that says the sum of exponentials too.

    Parameters
    ----------
    query, key, value
        [B, H, W, D], [B, G, K, D], [B, G, K, D].
    causal
        Of as many keys as queries, each query sees those up to its own place.
    mask
        Added to scores [B, H, W, K].
    """
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
    cap: float | None = None,
) -> Part:
    """As `over`, in matrix products: for devices without such a kernel, and to hold it against.

    Parameters
    ----------
    cap
        Of scores s, cap · tanh(s / cap) counts; None for scores as they are.
    """
    key, value = (_spread(t, query.shape[1]) for t in (key, value))
    scores = (query @ key.mT).float() * (query.shape[-1] ** -0.5 if scale is None else scale)
    if cap is not None:
        scores = cap * torch.tanh(scores / cap)
    if causal:
        width = query.shape[2]
        later = torch.ones(width, width, dtype=torch.bool, device=query.device).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    if mask is not None:
        scores = scores + mask
    log = scores.logsumexp(-1)
    out = (scores - log.unsqueeze(-1)).exp().to(value.dtype) @ value
    return out.transpose(1, 2), log.transpose(1, 2)


def over_blocks(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float | None,
    mask: torch.Tensor,
    cap: float,
) -> Part:
    """As `over_plainly` with a mask and a cap, block by block of keys: further keys, if they are
    hidden, do not change a bit, whatever kernels a library chooses for shapes."""
    count = key.shape[2]
    spare = -count % CAPPED_BLOCK
    if spare:
        key, value = (pad(t, (0, 0, 0, spare)) for t in (key, value))
        mask = pad(mask, (0, spare), value=-torch.inf)
    key, value = (_spread(t, query.shape[1]).unflatten(2, (-1, CAPPED_BLOCK)) for t in (key, value))
    scores = (query.unsqueeze(2) @ key.mT).float()  # [B, H, K / C, W, C]
    scores = scores * (query.shape[-1] ** -0.5 if scale is None else scale)
    scores = cap * torch.tanh(scores / cap)
    scores = scores + mask.unflatten(-1, (-1, CAPPED_BLOCK)).transpose(2, 3)
    top = scores.amax(-1, keepdim=True).clamp(min=HIDDEN)
    weights = (scores - top).exp()
    parts, sums = weights.to(value.dtype) @ value, weights.sum(-1, keepdim=True)
    most = top.amax(2, keepdim=True)
    shares = (top - most).exp()
    out, total = torch.zeros_like(parts[:, :, 0], dtype=torch.float32), sums[:, :, 0] * 0.0
    for block in range(key.shape[2]):
        out = out + parts[:, :, block].float() * shares[:, :, block]
        total = total + sums[:, :, block] * shares[:, :, block]
    log = (most[:, :, 0] + total.log()).squeeze(-1)
    return (out / total).to(value.dtype).transpose(1, 2), log.transpose(1, 2)


def _spread(heads: torch.Tensor, count: int) -> torch.Tensor:
    """Keys or values [·, G, ·, D] for each of `count` heads of queries."""
    if heads.shape[1] == count:
        return heads
    return heads.repeat_interleave(count // heads.shape[1], dim=1)
