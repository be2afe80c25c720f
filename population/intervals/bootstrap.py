"""The percentile bootstrap over clusters: for what has no error by leaving one out.

It is too narrow of few clusters (of 4 it covers .83): nothing that is a mean, or smooth in means,
has its interval here. Of the problems of a run, which are dozens, it covers .93 to .95.

Dimensions: Q clusters.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.population.intervals.spread import Interval


def cluster_bootstrap(
    values: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], float],
    rng: np.random.Generator,
    draws: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of a statistic, whole clusters drawn with replacement.

    Parameters
    ----------
    values
        float64 [Q, ...], clusters (problems, say) on axis 0.
    statistic
        From values of that shape to a number. Draws where it is NaN are left out.
    rng
        Generator of the stream for these draws.
    draws
        Number of them, ≥ 1.
    level
        Coverage, in (0, 1).

    Returns
    -------
    Interval (low, high); NaN where the statistic is NaN in every draw or there is no cluster.

    Raises
    ------
    ValueError
        If values have no axis, or draws or level are outside their range.

    Source
    ------
    Efron 1979; Davison & Hinkley 1997, section 3.8 for clusters.
    """
    clusters = np.asarray(values, dtype=np.float64)
    if clusters.ndim == 0:
        raise ValueError("values: expected clusters on axis 0, got a single number")
    if draws < 1:
        raise ValueError(f"draws: expected at least 1, got {draws}")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level: expected in (0, 1), got {level}")
    count = clusters.shape[0]
    if count == 0:
        return Interval(math.nan, math.nan)
    samples = np.array([statistic(clusters[rng.integers(count, size=count)]) for _ in range(draws)])
    return _between(samples, level)


def _between(samples: NDArray[np.float64], level: float) -> Interval:
    """The quantiles of draws, of which those that are NaN are left out."""
    samples = samples[~np.isnan(samples)]
    if samples.size == 0:
        return Interval(math.nan, math.nan)
    low, high = np.quantile(samples, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(float(low), float(high))
