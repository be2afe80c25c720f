"""How a fitted boundary bends, with an interval: convexity is shown by it, and not by a test that
does not reject it.

Intervals here are by refitting data that are drawn from the fit (parametric bootstrap): a boundary
is no mean of seeds, and leaving one out moves its steps by whole sizes.

Dimensions: X positions, D refits.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from mgptn.experiments.claims.method.numbers import Number, plain
from mgptn.experiments.claims.phase_diagram.boundary import (
    Boundary,
    Convexity,
    Successes,
    fit_boundary,
)
from mgptn.population.records.arrays import Floats

STRAIGHT = -0.1
"""A boundary whose bend is above this lies at most so far, in logarithms, above its chords."""


def bend_of(positions: Floats, sizes: Floats) -> float:
    """How far a boundary lies below its chords: ≥ 0 where it is convex, NaN where it has no chord.

    The mean over neighbouring positions by three, all with a boundary, of ln(chord / h) at the
    middle one.

    Parameters
    ----------
    positions, sizes
        float64 [X]; h is infinite where there is no boundary.
    """
    found = []
    for i in range(1, len(sizes) - 1):
        if not np.all(np.isfinite(sizes[i - 1 : i + 2])):
            continue
        chord = np.interp(positions[i], positions[[i - 1, i + 1]], sizes[[i - 1, i + 1]])
        found.append(math.log(float(chord) / float(sizes[i])))
    return float(np.mean(found)) if found else math.nan


def refits(found: Successes, fit: Boundary, rng: Generator, draws: int) -> list[Boundary]:
    """Monotone boundaries of as many data drawn from a fit."""
    likely = fit.probabilities(found.sizes)
    return [
        fit_boundary(replace(found, successes=rng.binomial(found.trials, likely)), convex=False)
        for _ in range(draws)
    ]


def by_refits(name: str, value: float, drawn: Floats, trials: int) -> Number:
    """A number with the quantiles of its refits, [D]: none where those are alike or undefined.

    Parameters
    ----------
    trials
        Seeds at each place, by which the error shrinks.
    """
    known = drawn[~np.isnan(drawn)]
    if math.isnan(value) or not known.size:
        return Number(name, value, math.nan, math.nan, units=trials)
    low, high = np.quantile(known, [0.025, 0.975], method="nearest")
    if not low < high:
        return Number(name, value, math.nan, math.nan, 0.0, trials)
    finite = known[np.isfinite(known)]
    error = float(finite.std(ddof=1)) if finite.size > 1 else math.nan
    return Number(name, value, float(low), float(high), error, trials)


def bends(
    name: str, found: Successes, shape: Convexity, again: list[Boundary], rng: Generator
) -> tuple[Number, list[Number]]:
    """The bend, and beside it: how likely it would be shown, were the boundary its convex fit.

    Parameters
    ----------
    again
        Refits of data from the monotone fit.
    """
    trials = int(found.trials.max())
    drawn = np.array([bend_of(found.positions, one.sizes) for one in again])
    value = bend_of(found.positions, shape.monotone.sizes)
    bend = by_refits(f"{name}: bend", value, drawn, trials)
    below = value - bend.low
    convex = [
        bend_of(found.positions, one.sizes)
        for one in refits(found, shape.convex, rng, max(1, len(again) // 2))
    ]
    power = math.nan
    if not math.isnan(below):
        power = float(np.mean([one - below > STRAIGHT for one in convex]))
    return bend, [
        plain(f"{name}: power to show the bend, were it that of the convex fit", power),
        plain(f"{name}: p of a likelihood ratio as great, were it convex", shape.p),
        plain(f"{name}: positions with a boundary", float(shape.finite)),
    ]
