"""The discrete replicator equation: how the shares of kinds that play against each other change.

Infinite populations only; `moran` and `wright_fisher` are the finite ones.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.population.records.shares import as_shares


def replicator_step(shares: ArrayLike, payoffs: ArrayLike) -> NDArray[np.float64]:
    """One generation: x_i' = x_i·(A x)_i / (x·A x).

    Parameters
    ----------
    shares
        float64 [K], x, sum one.
    payoffs
        float64 [K, K], A[i, j] what kind i earns against kind j, in expected offspring. Kinds
        that are present must not earn less than nothing.

    Returns
    -------
    float64 [K], sum one; a kind that is absent stays absent.

    Raises
    ------
    ValueError
        If the shares are no composition, shapes differ, or a kind present earns less than
        nothing, or all of them nothing.

    Source
    ------
    Taylor & Jonker 1978, "Evolutionary stable strategies and game dynamics", in discrete time.
    """
    present = as_shares(shares, "shares")
    matrix = np.asarray(payoffs, dtype=np.float64)
    if matrix.shape != (present.size, present.size):
        raise ValueError(
            f"payoffs: expected shape {(present.size, present.size)}, got {matrix.shape}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("payoffs: expected finite numbers, got a NaN or an infinity")
    earnings = matrix @ present
    if np.any(earnings[present > 0.0] < 0.0):
        kind = int(np.flatnonzero((present > 0.0) & (earnings < 0.0))[0])
        raise ValueError(f"payoffs: expected earnings ≥ 0, got {earnings[kind]} of kind {kind}")
    grown = present * earnings
    mean = grown.sum()
    if mean == 0.0:
        raise ValueError("payoffs: expected a mean earning above 0, got 0")
    renewed: NDArray[np.float64] = grown / mean
    return renewed


def replicator_orbit(
    shares: ArrayLike, payoffs: ArrayLike, generations: int
) -> NDArray[np.float64]:
    """Shares after 0 … generations steps of `replicator_step`.

    Parameters
    ----------
    shares, payoffs
        As of `replicator_step`.
    generations
        Number of steps, ≥ 0.

    Returns
    -------
    float64 [generations + 1, K]

    Raises
    ------
    ValueError
        As `replicator_step`, or if the number of generations is negative.
    """
    if generations < 0:
        raise ValueError(f"generations: expected a number ≥ 0, got {generations}")
    orbit = [as_shares(shares, "shares")]
    for _ in range(generations):
        orbit.append(replicator_step(orbit[-1], payoffs))
    return np.stack(orbit)
