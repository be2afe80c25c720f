"""Names of parts of a model, as learning may be confined to them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re

PARTS = ("all", "attention", "mlp", "head", "embeddings")
"""Names of parts; ``layers.N``, from 0, is another."""


def is_part(name: str) -> bool:
    """Is there such a part?"""
    return name in PARTS or re.fullmatch(r"layers\.\d+", name) is not None
