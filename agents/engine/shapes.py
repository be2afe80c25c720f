"""A model's shape by its configuration, whatever names that has for it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mgptn.agents.checkpoints import Checkpoint, CheckpointError

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_blocks")
WIDTH = ("hidden_size", "n_embd", "d_model")
HEADS = ("num_attention_heads", "n_head", "n_heads", "attention_heads", "num_heads")
VOCABULARY = ("vocab_size",)
STORED = ("num_key_value_heads", "num_kv_heads")
HEAD = ("head_dim", "global_head_dim", "kv_channels")


@dataclass(frozen=True, slots=True)
class Shape:
    """What numbers a token leaves in a model.

    Attributes
    ----------
    layers, width, vocabulary
        Layers; numbers of a token between them; tokens that the model has logits for.
    heads, stored, head
        Heads of a layer, those of keys and values, and the width of one as it is kept: where keys
        and values differ, that of the wider.
    """

    layers: int
    width: int
    heads: int
    stored: int
    head: int
    vocabulary: int


def shape_of(checkpoint: Checkpoint) -> Shape:
    """A checkpoint's shape; what its configuration leaves to the kind of model is asked of it.

    A model without attention keeps less than is said here: as if it had one head of its width.

    Raises
    ------
    CheckpointError
        If neither says a number.
    """
    said = checkpoint.text
    if not checkpoint.own:
        said = {**_usual(said), **{k: v for k, v in said.items() if v is not None}}
    width = _number(said, WIDTH)
    heads = _found(said, HEADS) or 1
    if "qk_rope_head_dim" in said and "qk_nope_head_dim" in said:
        # Latent attention, whose keys and values are kept as heads see them.
        keys = _number(said, ("qk_nope_head_dim",)) + _number(said, ("qk_rope_head_dim",))
        stored, head = heads, max(keys, _found(said, ("v_head_dim",)) or 0)
    else:
        stored = _greatest(said, STORED) or heads
        head = _greatest(said, HEAD) or width // heads
    return Shape(_number(said, LAYERS), width, heads, stored, head, _number(said, VOCABULARY))


def _found(said: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """A number by the first of several names; of one for each layer, the greatest."""
    for name in names:
        value = said.get(name)
        if isinstance(value, list | tuple):
            value = max((v for v in value if isinstance(v, int)), default=None)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _greatest(said: Mapping[str, Any], names: tuple[str, ...]) -> int:
    """The greatest number by any of the names, of any layer; 0 if there is none."""
    layers = said.get("per_layer_config")
    parts = [said, *(layers.values() if isinstance(layers, Mapping) else ())]
    return max((_found(part, (name,)) or 0) for part in parts for name in names)


def _number(said: Mapping[str, Any], names: tuple[str, ...]) -> int:
    found = _found(said, names)
    if found is None:
        raise CheckpointError(
            f"agents.model: expected a configuration that says {' or '.join(names)}, got none"
        )
    return found


def _usual(said: Mapping[str, Any]) -> dict[str, Any]:
    """What transformers takes for granted of a kind of model; nothing of one that it has not."""
    from transformers import CONFIG_MAPPING  # only here: it is slow to import

    if said.get("model_type") not in CONFIG_MAPPING:
        return {}
    made = CONFIG_MAPPING[said["model_type"]]()
    usual = made.get_text_config().to_dict()
    renamed = {made.attribute_map.get(name, name): name for name in said}
    return {name: value for name, value in usual.items() if name not in renamed}
