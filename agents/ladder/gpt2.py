"""Founders: GPT-2 with squared ReLU.

Dimensions: R rows, W tokens of a row, E width.

Source
------
Radford et al. 2019, "Language models are unsupervised multitask learners"; names and order of
operations as in transformers' `GPT2LMHeadModel`, so that checkpoints and bits are the same.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from mgptn.agents.ladder.model import Attention, Config, OwnModel, places_of


class Conv1D(nn.Module):
    """A linear layer whose matrix is [inputs, outputs]."""

    def __init__(self, outputs: int, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[…, outputs] of […, inputs]."""
        out = torch.addmm(self.bias, x.view(-1, x.shape[-1]), self.weight)
        return out.view(*x.shape[:-1], -1)


class GPT2Attention(Attention):
    """Attention, whose queries, keys and values are one product."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.layer_idx = layer
        self.width, self.head_dim = config.n_embd, config.n_embd // config.n_head
        self.c_attn = Conv1D(3 * config.n_embd, config.n_embd)
        self.c_proj = Conv1D(config.n_embd, config.n_embd)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[R, W, E]."""
        shape = (*x.shape[:-1], -1, self.head_dim)
        parts = self.c_attn(x).split(self.width, dim=2)
        query, key, value = (part.view(shape).transpose(1, 2) for part in parts)
        out: torch.Tensor = self.c_proj(self.attended(query, key, value, self.head_dim**-0.5))
        return out


class GPT2MLP(nn.Module):
    """Of each number, what is above zero, squared."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.c_fc = Conv1D(config.n_inner, config.n_embd)
        self.c_proj = Conv1D(config.n_embd, config.n_inner)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[R, W, E]."""
        out: torch.Tensor = self.c_proj(torch.square(torch.relu(self.c_fc(x))))
        return out


class GPT2Layer(nn.Module):
    """Attention and MLP, each beside what it is given."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = GPT2Attention(config, layer)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = GPT2MLP(config)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[R, W, E]."""
        x = self.attn(self.ln_1(x)) + x
        out: torch.Tensor = x + self.mlp(self.ln_2(x))
        return out


class GPT2Body(nn.Module):
    """The model without its head."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.h = nn.ModuleList(GPT2Layer(config, i) for i in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        use_cache: bool = False,
    ) -> torch.Tensor:
        """[R, W, E]."""
        x = self.wte(input_ids) + self.wpe(places_of(input_ids, position_ids))
        for layer in self.h:
            x = layer(x)
        out: torch.Tensor = self.ln_f(x)
        return out


class GPT2(OwnModel):
    """A founder, as of `mgptn.agents.ladder.kinds.is_plain_gpt2`."""

    base_model_prefix, embeddings_name = "transformer", "wte"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.transformer = GPT2Body(self.config)
        self.lm_head = nn.Linear(self.config.n_embd, self.config.vocab_size, bias=False)
        self.tie_weights()
