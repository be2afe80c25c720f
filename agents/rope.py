"""Rotary embeddings whose factors depend on a text's length, and up to where they do not.

Keys of a prefix are computed once and kept, so they cannot follow factors that change for all of a
text as it grows longer. Below the length that a model was first trained for, they do not change.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ORIGINAL = "original_max_position_embeddings"
FACTORS = ("short_factor", "long_factor")
"""What only RoPE with two sets of factors has, by whatever name: longrope, su, and Phi-3's yarn."""


LONG_SINCE = 4096
"""Where longrope's two sets of factors meet, if a configuration does not say: as Phi-3's does."""


def length_dependent(config: Mapping[str, Any]) -> str | None:
    """The kind of a RoPE whose factors depend on a text's length; None for any other."""
    return next((kind for kind, _ in _dependent(config)), None)


def unscaled_tokens(config: Mapping[str, Any]) -> int | None:
    """Tokens up to which such factors stay as they are; None where none depend on the length.

    Source
    ------
    transformers' `dynamic_rope_update`: the first looks whether a text is longer than
    `original_max_position_embeddings`, the second than `max_position_embeddings`.
    """
    found = [
        _least(config.get("max_position_embeddings"))
        if "dynamic" in kind
        else _least(*(said.get(ORIGINAL) for said in (one, config)))
        for kind, one in _dependent(config)
    ]
    return min(found) if found else None


def _dependent(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kinds and parameters of such RoPEs, of whichever layers."""
    for key in ("rope_parameters", "rope_scaling"):
        said = config.get(key)
        if not isinstance(said, Mapping):
            continue
        for one in (said, *(v for v in said.values() if isinstance(v, Mapping))):
            kind = str(one.get("rope_type", one.get("type", "")))
            if any(factor in one for factor in FACTORS):
                yield "longrope", one
            elif "dynamic" in kind or kind == "longrope":
                yield kind, one


def _least(*values: Any) -> int:
    return min((int(value) for value in values if isinstance(value, int)), default=LONG_SINCE)
