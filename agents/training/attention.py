"""Causal attention for training on a CPU: whole blocks of matrix products, skipping what is masked.

PyTorch's fused attention has a slow backward pass on CPUs; products of blocks, compiled, do not.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface

BLOCKWISE = "mgptn-blockwise"
"""Name of this attention to transformers."""

BLOCK = 64


def blockwise_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    **unused: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention of whole sequences, [B, H, L, D] each → [B, L, H, D].

    Each block of queries meets only the keys up to its end; sums of weights are in float32.
    """
    length = query.shape[2]
    query = query * scaling
    blocks = []
    for start in range(0, length, BLOCK):
        end = min(length, start + BLOCK)
        scores = query[:, :, start:end] @ key[:, :, :end].transpose(-1, -2)
        seen = torch.ones(end - start, end, dtype=torch.bool, device=query.device).tril(start)
        weights = scores.float().masked_fill(~seen, -torch.inf).softmax(-1).to(value.dtype)
        blocks.append(weights @ value[:, :, :end])
    return torch.cat(blocks, dim=2).transpose(1, 2).contiguous(), None


AttentionInterface.register(BLOCKWISE, blockwise_attention)
