"""Estimates with intervals: Wilson's for proportions, the bootstrap for everything else.

Dimensions: N observations, C clusters.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.experiments.cards.parts import Estimate
from mgptn.population.intervals.bootstrap import cluster_bootstrap
from mgptn.population.intervals.shares import wilson

DRAWS = 400
"""Of the bootstrap."""

DIGITS = 6

Values = NDArray[np.float64]


def proportion(flags: ArrayLike, nothing: str = "no such observation") -> Estimate:
    """The share of flags, bool [N], that are set; undefined, for the reason given, if N = 0."""
    values = np.asarray(flags, dtype=np.bool_)
    count, n = int(values.sum()), int(values.size)
    if n == 0:
        return Estimate(value=None, n=0, count=0, note=f"undefined: {nothing}")
    low, high = wilson(count, n)
    return Estimate(value=_round(count / n), low=_round(low), high=_round(high), n=n, count=count)


def bootstrapped(
    values: ArrayLike,
    statistic: Callable[[Values], float],
    rng: np.random.Generator,
    undefined: str,
) -> Estimate:
    """A statistic of observations [N, ...], which are drawn with replacement for its interval.

    A statistic that is NaN is undefined, for the reason given; so are its bounds in draws.
    """
    observed = np.asarray(values, dtype=np.float64)
    value = statistic(observed) if len(observed) else math.nan
    if math.isnan(value):
        return Estimate(value=None, n=len(observed), note=f"undefined: {undefined}")
    low, high = cluster_bootstrap(observed, statistic, rng, DRAWS)
    return Estimate(value=_round(value), low=_round(low), high=_round(high), n=len(observed))


def clustered_mean(
    values: ArrayLike, clusters: ArrayLike, rng: np.random.Generator, undefined: str
) -> Estimate:
    """The mean of values [N], NaN left out; whole clusters, int [N], are drawn for its interval."""
    observed, place = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    seen = ~np.isnan(observed)
    size = int(place.max()) + 1 if place.size else 0
    sums = np.bincount(place[seen], weights=observed[seen], minlength=size)
    counts = np.bincount(place[seen], minlength=size)

    def mean(totals: Values) -> float:
        count = float(totals[:, 1].sum())
        return float(totals[:, 0].sum()) / count if count else math.nan

    found = bootstrapped(np.stack([sums, counts], axis=1), mean, rng, undefined)
    return found.model_copy(update={"n": int(seen.sum())})


def inverse(estimate: Estimate, infinite: str) -> Estimate:
    """One over an estimate that is not negative; infinite, for the reason given, if that is 0."""

    def over(value: float | None) -> float | None:
        return _round(1.0 / value) if value else None

    note = estimate.note
    if estimate.value == 0.0:
        note = f"infinite: {infinite}"
    return Estimate(
        value=over(estimate.value),
        low=over(estimate.high),
        high=over(estimate.low),
        n=estimate.n,
        note=note,
    )


def distance(estimate: Estimate, reference: float) -> Estimate:
    """|estimate − reference|, with the interval that the estimate's implies."""
    low, value, high = estimate.low, estimate.value, estimate.high
    if low is None or value is None or high is None:
        return Estimate(value=None, n=estimate.n, note=estimate.note)
    ends = sorted((abs(low - reference), abs(high - reference)))
    least = 0.0 if low <= reference <= high else ends[0]
    return Estimate(
        value=_round(abs(value - reference)),
        low=_round(least),
        high=_round(ends[1]),
        n=estimate.n,
    )


def _round(value: float) -> float | None:
    return round(value, DIGITS) if math.isfinite(value) else None
