"""A Llama's checkpoint as the file that llama.cpp reads, so that both run the same numbers.

Only what a comparison needs: tokens go in and come out as ids, so that the tokenizer's rules do not
count.

Source
------
The GGUF format, version 3, as ggml's documentation has it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

KINDS = {"float32": 0, "float16": 1, "bfloat16": 30}
"""Name, as torch has it → its number in the format."""

ALIGNMENT = 32
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
NORMAL, CONTROL = 1, 3
"""Kinds of tokens."""

NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OUTER = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


class NotConverted(ValueError):
    """A checkpoint that is not written here: says why."""


def write_gguf(folder: Path, out: Path, dtype: str) -> Path:
    """Write a checkpoint's file; vectors stay float32, as llama.cpp has them.

    Raises
    ------
    NotConverted
        If it is no plain Llama with a byte-level BPE tokenizer.
    """
    import torch
    from safetensors import safe_open

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    plain = config.get("model_type") == "llama" and rope.get("rope_type", "default") == "default"
    if not plain or config.get("attention_bias") or config.get("mlp_bias"):
        raise NotConverted(f"expected a plain Llama, got {config.get('model_type')!r}")
    heads = config["num_attention_heads"], config.get("num_key_value_heads")
    tensors = []
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as held:
            tensors += [(name, path) for name in held.keys()]  # noqa: SIM118
    number, kind = KINDS[dtype], getattr(torch, dtype)
    with out.open("wb") as file:
        said = {**_settings(config, rope), **_tokens(folder, config), "general.file_type": number}
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(said)))
        for key, value in said.items():
            _write_pair(file, key, value)
        offset = 0
        for name, path in tensors:
            with safe_open(path, framework="pt") as held:
                shape = held.get_slice(name).get_shape()
            own, item = (number, kind.itemsize) if len(shape) > 1 else (0, 4)
            _write_text(file, _name(name))
            file.write(struct.pack("<I", len(shape)))
            file.write(struct.pack(f"<{len(shape)}Q", *reversed(shape)))
            file.write(struct.pack("<IQ", own, offset))
            size = item
            for length in shape:
                size *= length
            offset += -(-size // ALIGNMENT) * ALIGNMENT
        _align(file)
        for name, path in tensors:
            with safe_open(path, framework="pt") as held:
                tensor = held.get_tensor(name)
            tensor = _turned(name, tensor, heads[0], heads[1] or heads[0])
            tensor = tensor.to(kind if tensor.dim() > 1 else torch.float32).contiguous()
            file.write(tensor.view(torch.uint8).numpy().tobytes())
            _align(file)
    return out


def _name(name: str) -> str:
    """What llama.cpp calls a tensor."""
    if name in OUTER:
        return OUTER[name]
    before, _, rest = name.partition("model.layers.")
    layer, _, own = rest.partition(".")
    part = own.removesuffix(".weight")
    if before or part not in NAMES or not own.endswith(".weight"):
        raise NotConverted(f"expected a plain Llama's weights, got {name!r}")
    return f"blk.{layer}.{NAMES[part]}.weight"


def _turned(name: str, tensor: Any, heads: int, stored: int) -> Any:
    """Queries and keys with the halves of a head's width interleaved, as llama.cpp turns them."""
    count = heads if "q_proj" in name else stored if "k_proj" in name else 0
    if not count:
        return tensor
    return tensor.unflatten(0, (count, 2, -1)).transpose(1, 2).flatten(0, 2)


def _settings(config: Mapping[str, Any], rope: Mapping[str, Any]) -> dict[str, Any]:
    heads = config["num_attention_heads"]
    width = config["hidden_size"]
    head = config.get("head_dim") or width // heads
    return {
        "general.architecture": "llama",
        "general.name": "bench",
        "llama.block_count": config["num_hidden_layers"],
        "llama.context_length": config["max_position_embeddings"],
        "llama.embedding_length": width,
        "llama.feed_forward_length": config["intermediate_size"],
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": config.get("num_key_value_heads") or heads,
        "llama.attention.key_length": head,
        "llama.attention.value_length": head,
        "llama.attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "llama.rope.dimension_count": head,
        "llama.rope.freq_base": float(rope.get("rope_theta") or config.get("rope_theta") or 1e4),
        "llama.vocab_size": config["vocab_size"],
    }


def _tokens(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """The vocabulary, with a name for each row of the embeddings that has none."""
    whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    model = whole["model"]
    if model.get("type") != "BPE":
        raise NotConverted(f"expected a BPE tokenizer, got {model.get('type')!r}")
    texts = [f"[unused {i}]" for i in range(config["vocab_size"])]
    kinds = [NORMAL] * len(texts)
    for text, i in model["vocab"].items():
        texts[i] = text
    for added in whole.get("added_tokens", ()):
        texts[added["id"]] = added["content"]
        kinds[added["id"]] = CONTROL if added.get("special") else NORMAL
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    end = config.get("eos_token_id")
    said: dict[str, Any] = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": texts,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": merges,
    }
    if end is not None:
        said["tokenizer.ggml.eos_token_id"] = end[0] if isinstance(end, list) else end
    return said


def _write_pair(file: BinaryIO, key: str, value: Any) -> None:
    _write_text(file, key)
    if isinstance(value, list):
        kind = INT32 if value and isinstance(value[0], int) else STRING
        file.write(struct.pack("<IIQ", ARRAY, kind, len(value)))
        for one in value:
            _write_text(file, one) if kind == STRING else file.write(struct.pack("<i", one))
    elif isinstance(value, str):
        file.write(struct.pack("<I", STRING))
        _write_text(file, value)
    elif isinstance(value, float):
        file.write(struct.pack("<If", FLOAT32, value))
    else:
        file.write(struct.pack("<II", UINT32, value))


def _write_text(file: BinaryIO, text: str) -> None:
    encoded = text.encode()
    file.write(struct.pack("<Q", len(encoded)) + encoded)


def _align(file: BinaryIO) -> None:
    file.write(b"\0" * (-file.tell() % ALIGNMENT))
