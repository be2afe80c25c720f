"""Shares of a population, checked."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHARE_TOLERANCE = 1e-9
"""How far a composition's sum may lie from one."""


def as_shares(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Check that values are the composition of a population.

    Parameters
    ----------
    values
        float64 [K], each ≥ 0, sum one.
    name
        What to call the argument in an error.

    Returns
    -------
    float64 [K], the values as given.

    Raises
    ------
    ValueError
        If the values are not a vector, or negative, NaN, or do not sum to one.
    """
    shares = np.asarray(values, dtype=np.float64)
    if shares.ndim != 1 or shares.size == 0:
        raise ValueError(f"{name}: expected a vector of shares, got shape {shares.shape}")
    if not np.all(shares >= 0.0):
        raise ValueError(f"{name}: expected shares ≥ 0, got {shares[~(shares >= 0.0)][0]}")
    total = float(shares.sum())
    if not abs(total - 1.0) <= SHARE_TOLERANCE:
        raise ValueError(f"{name}: expected shares that sum to one, got a sum of {total!r}")
    return shares
