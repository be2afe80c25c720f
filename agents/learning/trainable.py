"""Which of a model's weights may change: all, or those of a part of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

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


def _within(name: str, part: str) -> bool:
    if part == "all":
        return True
    layer = _LAYER.search(name)
    if part in _KINDS:
        return layer is not None and _KINDS[part].search(name) is not None
    return layer is not None and layer.group(1) == part.removeprefix("layers.")
