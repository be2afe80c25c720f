"""Which configurations are those of models trained here: two plain kinds, and nothing beside.

What is not said here as it stands in config.json is left to transformers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SILENT: Final = frozenset(
    {
        "architectures", "attn_pdrop", "attention_dropout", "bos_token_id", "dtype", "embd_pdrop",
        "eos_token_id", "initializer_range", "max_position_embeddings", "mgptn", "n_positions",
        "pad_token_id", "resid_pdrop", "tie_word_embeddings", "transformers_version", "use_cache",
        "vocab_size",
    }
)  # fmt: skip
"""Of no consequence for what a layer computes."""

LLAMA: Final[Mapping[str, Any]] = {
    "model_type": "llama", "attention_bias": False, "hidden_act": "silu", "mlp_bias": False,
    "pretraining_tp": 1,
}  # fmt: skip
LLAMA_SIZES: Final = (
    "head_dim", "hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers",
    "num_key_value_heads",
)  # fmt: skip

GPT2: Final[Mapping[str, Any]] = {
    "model_type": "gpt2", "activation_function": "relu2", "add_cross_attention": False,
    "reorder_and_upcast_attn": False, "scale_attn_by_inverse_layer_idx": False,
    "scale_attn_weights": True,
}  # fmt: skip
GPT2_SIZES: Final = ("n_embd", "n_head", "n_inner", "n_layer")


def is_plain_llama(config: Mapping[str, Any]) -> bool:
    """Is it a ladder model's: Llama with RoPE that is not scaled, and no biases?"""
    rope = config.get("rope_parameters")
    return (
        isinstance(rope, Mapping)
        and set(rope) == {"rope_theta", "rope_type"}
        and rope["rope_type"] == "default"
        and _is_number(rope["rope_theta"])
        and _is_number(config.get("rms_norm_eps"))
        and _fits(config, LLAMA, LLAMA_SIZES, {"rope_parameters", "rms_norm_eps"})
    )


def is_plain_gpt2(config: Mapping[str, Any]) -> bool:
    """Is it a founder's: GPT-2 with squared ReLU?"""
    summary = {name for name in config if name.startswith("summary_")}
    return _is_number(config.get("layer_norm_epsilon")) and _fits(
        config, GPT2, GPT2_SIZES, {"layer_norm_epsilon", *summary}
    )


def _fits(
    config: Mapping[str, Any], said: Mapping[str, Any], sizes: tuple[str, ...], free: set[str]
) -> bool:
    return (
        set(config) <= {*said, *sizes, *free, *SILENT}
        and all(config.get(name) == value for name, value in said.items())
        and all(_is_count(config.get(name)) for name in (*sizes, "vocab_size"))
        and isinstance(config.get("tie_word_embeddings"), bool)
    )


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and value > 0
