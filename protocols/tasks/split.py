"""Which problems are held out of training, by a hash of their canonical text."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from typing import Literal

from mgptn.protocols.tasks.task import Split

HeldOut = Literal["hash", "all"]
"""Which problems a run may draw: a fifth, by hash; or all, where nothing was trained on them."""

HELD_OUT_PER_MILLE = 200


def belongs(canonical: str, split: Split, held_out: HeldOut) -> bool:
    """Is the problem with this canonical text one of the split's? Under ``"all"`` each is."""
    return held_out == "all" or (split == "held-out") == is_held_out(canonical)


def is_held_out(canonical: str) -> bool:
    """Does the hash put this canonical text into the held-out fifth?"""
    content = canonical.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(content, digest_size=8, person=b"mgptn.split").digest()
    return int.from_bytes(digest, "big") % 1000 < HELD_OUT_PER_MILLE
