"""Causal attention for training on a CPU: whole blocks of matrix products, skipping what is masked.

PyTorch's fused attention has a slow backward pass on CPUs; products of blocks, compiled, do not.

Dimensions: B documents, H heads, L tokens, W the width of a head.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, cast

import torch

BLOCK = 64
"""Queries that are taken together; they meet only the keys up to the last of them."""


def blockwise_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
) -> torch.Tensor:
    """Causal attention of whole sequences, [B, H, L, W] each → [B, H, L, W]; sums in float32.

    Queries come scaled.
    """
    return cast(torch.Tensor, _Blockwise.apply(query, key, value))  # type: ignore[no-untyped-call]


class _Blockwise(torch.autograd.Function):
    """Gradients of keys and values are made a block of keys at a time: nothing is padded."""

    @staticmethod
    def forward(
        context: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
    ) -> torch.Tensor:
        """Attend."""
        weights, parts = [], []
        for start, end in _blocks(query.shape[2]):
            scores = query[:, :, start:end] @ key[:, :, :end].transpose(-1, -2)
            seen = torch.ones(end - start, end, dtype=torch.bool, device=query.device).tril(start)
            scores = scores.float().masked_fill(~seen, -torch.inf)
            weights.append(scores.softmax(-1).to(value.dtype))
            parts.append(weights[-1] @ value[:, :, :end])
        out = torch.cat(parts, dim=2)
        context.save_for_backward(query, key, value, out, *weights)
        return out

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Gradients of query, key and value."""
        query, key, value, out, *weights = context.saved_tensors
        wanted = gradients[0].contiguous()
        mean = (wanted.float() * out.float()).sum(-1, keepdim=True)
        blocks = _blocks(query.shape[2])
        of_scores, of_query, of_key, of_value = [], [], [], []
        for (start, end), weight in zip(blocks, weights, strict=True):
            of_weight = (wanted[:, :, start:end] @ value[:, :, :end].transpose(-1, -2)).float()
            of_score = weight.float() * (of_weight - mean[:, :, start:end])
            of_scores.append(of_score.to(query.dtype))
            of_query.append(of_scores[-1] @ key[:, :, :end])
        for index, (start, end) in enumerate(blocks):
            column = torch.cat([score[..., start:end] for score in of_scores[index:]], dim=2)
            of_key.append(column.transpose(-1, -2) @ query[:, :, start:])
            column = torch.cat([weight[..., start:end] for weight in weights[index:]], dim=2)
            of_value.append(column.transpose(-1, -2) @ wanted[:, :, start:])
        return torch.cat(of_query, dim=2), torch.cat(of_key, dim=2), torch.cat(of_value, dim=2)


def _blocks(length: int) -> list[tuple[int, int]]:
    """Beginning and end of every block."""
    return [(start, min(length, start + BLOCK)) for start in range(0, length, BLOCK)]
