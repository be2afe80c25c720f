"""Which of a model's weights may change: all, or those of a part of it; seen by its outline."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

_LAYER = re.compile(r"\.(\d+)\.")
_KINDS = {"attention": re.compile(r"attn|attention"), "mlp": re.compile(r"mlp|feed_forward")}


def trainable_names(model: Any, parts: Sequence[str]) -> tuple[str, ...]:
    """Names of the parameters of some parts, in the model's order.

    Parameters
    ----------
    model
        A transformers causal model.

    Raises
    ------
    ValueError
        If a part has no weights in this model.
    """
    ends = {
        "head": model.get_output_embeddings(),
        "embeddings": model.get_input_embeddings(),
    }
    chosen: set[str] = set()
    for part in parts:
        if part in ends:
            own = {id(parameter) for parameter in ends[part].parameters()}
            found = {name for name, p in model.named_parameters() if id(p) in own}
        else:
            found = {name for name, _ in model.named_parameters() if _within(name, part)}
        if not found:
            raise ValueError(
                f"agents.learning.trainable: expected a part of {type(model).__name__} with "
                f"weights, got {part!r}, which has none"
            )
        chosen |= found
    return tuple(name for name, _ in model.named_parameters() if name in chosen)


def count_trainable(model: Any, parts: Sequence[str]) -> int:
    """How many numbers some parts have; errors as of `trainable_names`."""
    named = dict(model.named_parameters())
    return sum(named[name].numel() for name in trainable_names(model, parts))


def outline(folder: Path) -> Any:
    """A checkpoint's model without any numbers: names and shapes alone."""
    from transformers import AutoConfig, AutoModelForCausalLM  # only here: it is slow to import

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False)


def _within(name: str, part: str) -> bool:
    if part == "all":
        return True
    layer = _LAYER.search(name)
    if part in _KINDS:
        return layer is not None and _KINDS[part].search(name) is not None
    return layer is not None and layer.group(1) == part.removeprefix("layers.")
