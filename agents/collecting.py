"""How often Python looks for circles among a process's objects, where records are millions of them.

What a run is made of (agents, genomes, births) are plain records that never point back, and each
goes as soon as nobody holds it. To look through all of them for circles, as Python does after every
few hundred new ones, finds nothing, and takes as long as reading a journal of 10⁴ agents itself.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 200_000
"""So many more must live before they are looked through: some 20 MB, in which circles may stay."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for circles seldom, for as long as the context lasts."""
    before = gc.get_threshold()
    gc.set_threshold(max(NEW_OBJECTS, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
