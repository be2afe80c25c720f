"""Estimates with intervals: Wilson's for proportions, Student's by leaving out for the others.

Dimensions: N observations, C clusters.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.experiments.cards.parts import Estimate
from mgptn.population.intervals.shares import agreed_interval, wilson
from mgptn.population.intervals.spread import spread_of_any, t_interval

GROUPS = 100
"""Of observations, at most, that are left out together."""

Span = tuple[float, float]
SHARE: Span = (0.0, 1.0)
DIFFERENCE: Span = (-1.0, 1.0)

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


def left_out(
    values: ArrayLike,
    statistic: Callable[[Values], float],
    undefined: str,
    span: Span = SHARE,
) -> Estimate:
    """A statistic of observations [N, ...], with Student's interval by leaving some of them out.

    A statistic that is NaN is undefined, for the reason given. Where leaving out changes nothing,
    the interval is as of `shares.agreed_interval`; of one that is undefined without some
    observations, there is none.

    Parameters
    ----------
    span
        Least and greatest that it can be.
    """
    observed = np.asarray(values, dtype=np.float64)
    value = statistic(observed) if len(observed) else math.nan
    if math.isnan(value):
        return Estimate(value=None, n=len(observed), note=f"undefined: {undefined}")
    of = spread_of_any(observed, statistic, GROUPS)
    found = agreed_interval(of._replace(units=len(observed)), 1, span)
    if of.error != 0.0:
        found = t_interval(of)
    low, high = (_round(min(max(end, span[0]), span[1])) for end in found)
    return Estimate(value=_round(value), low=low, high=high, n=len(observed))


def difference(one: Estimate, other: Estimate, undefined: str) -> Estimate:
    """One proportion less another of other observations, both with Wilson's intervals.

    Source
    ------
    Newcombe 1998, "Interval estimation for the difference between independent proportions",
    method 10.
    """
    n = one.n + other.n
    if None in (one.value, one.low, one.high, other.value, other.low, other.high):
        return Estimate(value=None, n=n, note=f"undefined: {undefined}")
    (x, x_low, x_high), (y, y_low, y_high) = _known(one), _known(other)
    below, above = math.hypot(x - x_low, y_high - y), math.hypot(x_high - x, y - y_low)
    return Estimate(
        value=_round(x - y),
        low=_round(max(-1.0, x - y - below)),
        high=_round(min(1.0, x - y + above)),
        n=n,
    )


def halved(of: Estimate) -> Estimate:
    """(1 + x) / 2: balanced accuracy of a J."""

    def half(value: float | None) -> float | None:
        return None if value is None else _round((1.0 + value) / 2.0)

    return of.model_copy(
        update={"value": half(of.value), "low": half(of.low), "high": half(of.high)}
    )


def clustered_mean(
    values: ArrayLike, clusters: ArrayLike, undefined: str, span: Span = SHARE
) -> Estimate:
    """The mean of values [N], NaN left out; whole clusters, int [N], are what is drawn anew."""
    observed, place = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    seen = ~np.isnan(observed)
    size = int(place.max()) + 1 if place.size else 0
    sums = np.bincount(place[seen], weights=observed[seen], minlength=size)
    counts = np.bincount(place[seen], minlength=size)

    def mean(totals: Values) -> float:
        count = float(totals[:, 1].sum())
        return float(totals[:, 0].sum()) / count if count else math.nan

    found = left_out(np.stack([sums, counts], axis=1), mean, undefined, span)
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


def _known(of: Estimate) -> tuple[float, float, float]:
    assert of.value is not None
    assert of.low is not None
    assert of.high is not None
    return of.value, of.low, of.high


def _round(value: float) -> float | None:
    return round(value, DIGITS) if math.isfinite(value) else None
