"""The ladder's models: Llama in its plainest form.

Dimensions: R rows, W tokens of a row, E width, H heads, G heads of keys and values, D width of a
head.

Source
------
Touvron et al. 2023, "LLaMA: open and efficient foundation language models"; Su et al. 2021,
"RoFormer", for RoPE; names and order of operations as in transformers' `LlamaForCausalLM`, so that
checkpoints and bits are the same.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from mgptn.agents.ladder.model import Attention, Config, OwnModel, places_of

Turns = tuple[torch.Tensor, torch.Tensor]


class RMSNorm(nn.Module):
    """x / √(mean x² + ε), in float32, times a weight."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[…, E]."""
        exact = x.float()
        exact = exact * torch.rsqrt(exact.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return self.weight * exact.to(x.dtype)


class Rope(nn.Module):
    """Angles by which queries and keys are turned: a place times each of D/2 frequencies."""

    frequencies: torch.Tensor

    def __init__(self, width: int, base: float) -> None:
        super().__init__()
        powers = torch.arange(0, width, 2, dtype=torch.float) / width
        self.register_buffer("frequencies", 1.0 / base**powers, persistent=False)

    def forward(self, x: torch.Tensor, places: torch.Tensor) -> Turns:
        """Cosines and sines [R, 1, W, D] at places [R, W], in the type of x."""
        angles = places[..., None].float() * self.frequencies.float()
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos().to(x.dtype).unsqueeze(1), angles.sin().to(x.dtype).unsqueeze(1)


def turned(x: torch.Tensor, turns: Turns) -> torch.Tensor:
    """Queries or keys [R, ·, W, D], turned: the first half of D goes with the second."""
    cosines, sines = turns
    half = x.shape[-1] // 2
    return x * cosines + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sines


class LlamaAttention(Attention):
    """Attention with G heads of keys and values."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.layer_idx = layer
        self.head_dim = config.head_dim
        wide, narrow = (
            config.head_dim * heads
            for heads in (config.num_attention_heads, config.num_key_value_heads)
        )
        self.q_proj = nn.Linear(config.hidden_size, wide, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, narrow, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, narrow, bias=False)
        self.o_proj = nn.Linear(wide, config.hidden_size, bias=False)

    def forward(self, x: torch.Tensor, turns: Turns) -> torch.Tensor:
        """[R, W, E]."""
        shape = (*x.shape[:-1], -1, self.head_dim)
        query = self.q_proj(x).view(shape).transpose(1, 2)
        key = self.k_proj(x).view(shape).transpose(1, 2)
        value = self.v_proj(x).view(shape).transpose(1, 2)
        query, key = turned(query, turns), turned(key, turns)
        out: torch.Tensor = self.o_proj(self.attended(query, key, value, self.head_dim**-0.5))
        return out


class LlamaMLP(nn.Module):
    """down(silu(gate x) · up x)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[R, W, E]."""
        out: torch.Tensor = self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class LlamaLayer(nn.Module):
    """Attention and MLP, each beside what it is given."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.self_attn = LlamaAttention(config, layer)
        self.mlp = LlamaMLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: torch.Tensor, turns: Turns) -> torch.Tensor:
        """[R, W, E]."""
        x = x + self.self_attn(self.input_layernorm(x), turns)
        out: torch.Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class LlamaBody(nn.Module):
    """The model without its head."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(LlamaLayer(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.rope = Rope(config.head_dim, config.rope_parameters["rope_theta"])

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        use_cache: bool = False,
    ) -> torch.Tensor:
        """[R, W, E]."""
        x = self.embed_tokens(input_ids)
        turns = self.rope(x, places_of(input_ids, position_ids))
        for layer in self.layers:
            x = layer(x, turns)
        out: torch.Tensor = self.norm(x)
        return out


class Llama(OwnModel):
    """A plain Llama, as of `mgptn.agents.ladder.kinds.is_plain_llama`."""

    base_model_prefix, embeddings_name = "model", "embed_tokens"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.model = LlamaBody(self.config)
        self.lm_head = nn.Linear(self.config.hidden_size, self.config.vocab_size, bias=False)
        self.tie_weights()
