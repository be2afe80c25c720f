"""Libraries that draw from Python's and NumPy's global generators, made to leave them alone."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Global generators that start from a seed within, and are afterwards as they were before."""
    before = random.getstate()
    before_numpy = np.random.get_state()  # noqa: NPY002 (it is the global one that is meant)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(before_numpy)  # noqa: NPY002
