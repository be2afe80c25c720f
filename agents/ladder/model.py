"""What both kinds of models trained here have in common, by the names that the engine asks for.

Dimensions: R rows, W tokens of a row, H heads, G heads of keys and values, D width of a head,
V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from mgptn.agents.layers.attention import NAME, attend


class Config(SimpleNamespace):
    """config.json as attributes."""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the file."""
        return dict(vars(self))

    def get_text_config(self) -> Config:
        """Itself: these models read text alone."""
        return self


@dataclass(frozen=True, slots=True)
class Output:
    """What a model makes of rows: logits [R, W, V], or of the places that its head is given."""

    logits: torch.Tensor


def attend_plainly(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: None,
    scaling: float,
) -> tuple[torch.Tensor, None]:
    """Causal attention by the book, which the engine's is held against: [R, W, H, D]."""
    groups = query.shape[1] // key.shape[1]
    key, value = (t.repeat_interleave(groups, dim=1) for t in (key, value))
    scores = query @ key.transpose(2, 3) * scaling
    width = scores.shape[-1]
    later = torch.ones(width, width, dtype=torch.bool, device=scores.device).triu(1)
    shares = scores.masked_fill(later, -torch.inf).float().softmax(dim=-1).to(query.dtype)
    return (shares @ value).transpose(1, 2), None


ATTENTION: Mapping[str, Callable[..., tuple[torch.Tensor, None]]] = {
    "eager": attend_plainly,
    NAME: attend,
}


class Attention(nn.Module):
    """A layer's attention, whose kind can be replaced."""

    layer_idx: int
    attention = staticmethod(attend_plainly)

    def attended(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
    ) -> torch.Tensor:
        """[R, W, H · D] of query [R, H, W, D], key and value [R, G, W, D]."""
        out, _ = self.attention(self, query, key, value, None, scaling=scaling)
        return out.reshape(*out.shape[:-2], -1).contiguous()


class OwnModel(nn.Module):
    """A causal language model trained here: what transformers calls a model with a head.

    Attributes
    ----------
    base_model_prefix, embeddings_name
        Names of the part without the head, and of its embeddings, which a head may share.
    """

    base_model_prefix: str
    embeddings_name: str
    lm_head: nn.Linear

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = Config(**config)

    @property
    def base_model(self) -> nn.Module:
        """The model without its head."""
        found: nn.Module = getattr(self, self.base_model_prefix)
        return found

    @property
    def all_tied_weights_keys(self) -> dict[str, str]:
        """Parameters that are others' twins, and whose."""
        name = f"{self.base_model_prefix}.{self.embeddings_name}.weight"
        return {"lm_head.weight": name} if self.config.tie_word_embeddings else {}

    def get_input_embeddings(self) -> nn.Module:
        """Of tokens."""
        found: nn.Module = getattr(self.base_model, self.embeddings_name)
        return found

    def get_output_embeddings(self) -> nn.Linear:
        """The head."""
        return self.lm_head

    def tie_weights(self) -> None:
        """Let a head share the embeddings, if the configuration says so."""
        if self.config.tie_word_embeddings:
            self.lm_head.weight = self.get_input_embeddings().weight  # type: ignore[assignment]

    def set_attn_implementation(self, name: str) -> None:
        """Let every layer attend by another function."""
        for module in self.modules():
            if isinstance(module, Attention):
                module.attention = ATTENTION[name]

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        use_cache: bool = False,
    ) -> Output:
        """Logits after int64 [R, W] tokens at places [R, W], 0, 1, … if not given."""
        assert not use_cache
        return Output(self.lm_head(self.base_model(input_ids, position_ids)))


def places_of(tokens: torch.Tensor, places: torch.Tensor | None) -> torch.Tensor:
    """Places of int64 [R, W] tokens: those given, or counted from each row's start."""
    if places is not None:
        return places
    return torch.arange(tokens.shape[1], device=tokens.device).unsqueeze(0)
