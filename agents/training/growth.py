"""Growing a trained model into a larger rung of the same function, from which training goes on.

After Net2Net (Chen et al. 2016), with zeros where new parts are read: what is added reads what is
there, and nothing reads it until training says so.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

WRITERS = ("o_proj", "down_proj")
"""The matrices of a layer that write to the residual stream; the others read from it."""


@torch.no_grad()
def grow(small: LlamaForCausalLM, config: LlamaConfig, seed: int) -> LlamaForCausalLM:
    """A model of `config` with the logits of `small`, up to rounding.

    Layers are added evenly among the old ones. New rows of matrices that read the residual stream
    are drawn with the root mean square of the matrix that they enlarge (of a new layer's, with
    that of the layer before); new parts of those that write to it, and of embeddings, are zero.

    Raises
    ------
    ValueError
        If `config` is in some dimension smaller than the model, or differs in vocabulary, width of
        a head, or shared heads.
    """
    _check(small.config, config)
    generator = torch.Generator().manual_seed(seed)
    large = LlamaForCausalLM(config)
    source = {name: value.float() for name, value in small.state_dict().items()}
    shrink = (small.config.hidden_size / config.hidden_size) ** 0.5  # a norm's mean has more zeros
    origins = _origins(small.config.num_hidden_layers, config.num_hidden_layers)
    for name, target in large.state_dict().items():
        parts = name.split(".")
        new = False
        if "layers" in parts:
            place = parts.index("layers") + 1
            origin, new = origins[int(parts[place])]
            parts[place] = str(origin)
        old = source[".".join(parts)]
        if target.ndim == 1:
            target.fill_(shrink)
            target[: len(old)] = old * shrink
        elif "embed_tokens" in name or "lm_head" in name:
            target.zero_()
            target[:, : old.shape[1]] = old
        elif any(writer in name for writer in WRITERS):
            target.zero_()
            if not new:
                target[: old.shape[0], : old.shape[1]] = old
        else:
            deviation = float(old.square().mean().sqrt())
            target.copy_(torch.randn(target.shape, generator=generator) * deviation)
            if not new:
                target[: old.shape[0], : old.shape[1]] = old
    return large


def _origins(old: int, new: int) -> list[tuple[int, bool]]:
    """For each large layer: which of the small model's it is, or is drawn like; and is it new?"""
    places = [int((layer + 0.5) * new / old) for layer in range(old)]
    return [
        (max(0, sum(place <= layer for place in places) - 1), layer not in places)
        for layer in range(new)
    ]


def _check(small: LlamaConfig, large: LlamaConfig) -> None:
    for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"):
        if getattr(large, key) < getattr(small, key):
            raise ValueError(
                f"grown_from: expected a model with {key} of at most {getattr(large, key)}, "
                f"got {getattr(small, key)}"
            )
    for key in ("vocab_size", "head_dim", "tie_word_embeddings", "rope_parameters"):
        if getattr(large, key) != getattr(small, key):
            raise ValueError(
                f"grown_from: expected a model with {key} {getattr(large, key)}, "
                f"got {getattr(small, key)}"
            )
    for config in (small, large):
        if config.num_key_value_heads != config.num_attention_heads:
            raise ValueError("grown_from: expected a model with a key of its own for every head")
