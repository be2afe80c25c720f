"""The forward pass of a rung in training: what transformers computes, in fewer and larger products.

Dimensions: B documents, L tokens, H heads, W the width of a head.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaMLP, LlamaRMSNorm

from mgptn.agents.training.attention import blockwise_attention


def training_forward(model: LlamaForCausalLM, products: torch.dtype) -> Callable[[Tensor], Tensor]:
    """A function from tokens, int64 [B, L], to logits, float32 [B, L, V], for `torch.compile`.

    Queries, keys and values are one product, and so are gate and input of the feed-forward layer;
    rotations have no slices, which cost much backwards. Weights, norms and sums stay in float32.

    Parameters
    ----------
    products
        Type of matrices that are multiplied.
    """
    embedding, padding = model.model.embed_tokens.weight, model.model.embed_tokens.padding_idx

    def forward(tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)[None]
        rotation = _rotation(model, positions)
        hidden = functional.embedding(tokens, embedding, padding)
        for layer in model.model.layers:
            normed = _norm(hidden, layer.input_layernorm).to(products)
            hidden = hidden + _attend(normed, layer.self_attn, rotation)
            normed = _norm(hidden, layer.post_attention_layernorm).to(products)
            hidden = hidden + _feed_forward(normed, layer.mlp)
        return _times(_norm(hidden, model.model.norm).to(products), embedding)

    return forward


def _attend(hidden: Tensor, attention: LlamaAttention, rotation: tuple[Tensor, Tensor]) -> Tensor:
    width = attention.head_dim
    matrices = (attention.q_proj.weight * width**-0.5, attention.k_proj.weight)
    joined = _times(hidden, torch.cat([*matrices, attention.v_proj.weight]), hidden.dtype)
    batch, length, three = joined.shape
    heads = (batch, length, three // 3 // width, width)
    query, key, value = (part.view(heads) for part in joined.split(three // 3, dim=-1))
    query, key, value = (
        part.transpose(1, 2).contiguous()
        for part in (_rotate(query, *rotation), _rotate(key, *rotation), value)
    )
    if hidden.device.type == "cpu":
        met = blockwise_attention(query, key, value)
    else:
        met = functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=1.0)
    return _times(met.transpose(1, 2).flatten(2), attention.o_proj.weight)


def _feed_forward(hidden: Tensor, layer: LlamaMLP) -> Tensor:
    joined = torch.cat([layer.gate_proj.weight, layer.up_proj.weight])
    gate, up = _times(hidden, joined, hidden.dtype).chunk(2, dim=-1)
    return _times(
        (functional.silu(gate.float()) * up.float()).to(hidden.dtype), layer.down_proj.weight
    )


def _norm(hidden: Tensor, norm: LlamaRMSNorm) -> Tensor:
    mean = hidden.square().mean(-1, keepdim=True)
    normed: Tensor = hidden * torch.rsqrt(mean + norm.variance_epsilon) * norm.weight
    return normed


def _rotation(model: LlamaForCausalLM, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines, [L, 1, 1, W/2], and sines signed by half, [L, 1, 2, W/2], of the angles."""
    both = model.model.rotary_emb(model.model.embed_tokens.weight, positions)
    cosine, sine = (part[0, :, None, : part.shape[-1] // 2] for part in both)
    return cosine[:, :, None], torch.stack([-sine, sine], dim=2)


def _rotate(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the two halves of every head by the angles of their place, [B, L, H, W]."""
    halves: Tensor = heads.unflatten(-1, (2, -1)).float()
    return (halves * cosine + halves.flip(-2) * sine).flatten(-2).to(heads.dtype)


def _times(hidden: Tensor, matrix: Tensor, kind: torch.dtype = torch.float32) -> Tensor:
    """Product with a matrix that is kept in float32, as `kind`."""
    return functional.linear(hidden, matrix.to(hidden.dtype)).to(kind)
