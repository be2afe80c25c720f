"""The boundary of a region of success: fitted as monotone, as convex too, and tested.

The region is {(x, m): m ≥ h(x)}: success is likelier for larger m and for larger x.

Dimensions: X positions along the axis, in ascending order; I sizes, in ascending order.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, NonlinearConstraint, minimize
from scipy.special import expit, log_expit

from mgptn.population.records.arrays import Floats

Integers = NDArray[np.int64]

STEEPNESS = (0.5, 12.0)
"""Range of the slope of the log-odds of success along ln m."""

BEYOND = 16.0
"""A boundary is sought from half the least size to so many times the greatest."""

_TOLERANCE = 1e-9
_SLACK = 1e-5
"""By how much a fit may miss a constraint."""


@dataclass(frozen=True, slots=True)
class Successes:
    """How often a thing succeeded.

    Attributes
    ----------
    positions
        float64 [X], ascending: log₁₀ of parameters, or ln Λ.
    sizes
        float64 [I], ascending: m.
    successes, trials
        int64 [X, I].
    """

    positions: Floats
    sizes: Floats
    successes: Integers
    trials: Integers

    def __post_init__(self) -> None:
        shape = (len(self.positions), len(self.sizes))
        for name, counts in (("successes", self.successes), ("trials", self.trials)):
            if counts.shape != shape:
                raise ValueError(f"{name}: expected shape {shape}, got {counts.shape}")
        for name, along in (("positions", self.positions), ("sizes", self.sizes)):
            if np.any(np.diff(along) <= 0):
                raise ValueError(f"{name}: expected ascending values, got {along.tolist()}")


@dataclass(frozen=True, slots=True)
class Boundary:
    """A fitted boundary.

    Attributes
    ----------
    sizes
        float64 [X], h: the size at which success is as likely as failure; infinite where no size
        that was tried is near it.
    steepness
        Slope of the log-odds of success along ln m.
    log_likelihood
        Natural.
    """

    sizes: Floats
    steepness: float
    log_likelihood: float

    def probabilities(self, sizes: Floats) -> Floats:
        """Probability of success, float64 [X, I]."""
        with np.errstate(divide="ignore"):
            return np.asarray(
                expit(self.steepness * (np.log(sizes) - np.log(self.sizes)[:, None])),
                dtype=np.float64,
            )


@dataclass(frozen=True, slots=True)
class Convexity:
    """A bootstrap test of convexity.

    Attributes
    ----------
    monotone, convex
        The two fits; the second is monotone too.
    ratio
        Twice the difference of their log-likelihoods, ≥ 0.
    p
        Share of data sets drawn from the convex fit whose ratio is at least as great.
    finite
        Positions whose monotone boundary is finite; of fewer than three nothing can be said.
    """

    monotone: Boundary
    convex: Boundary
    ratio: float
    p: float
    finite: int


def fit_boundary(found: Successes, *, convex: bool) -> Boundary:
    """The likeliest boundary that does not rise along the axis, and is convex if asked.

    Convexity is of h itself, not of its logarithm. By sequential quadratic programming from
    several starts, since with the constraint the likelihood need not have a single maximum.
    """
    low, high = math.log(found.sizes[0] / 2), math.log(found.sizes[-1] * BEYOND)
    best: tuple[float, Floats] | None = None
    for start in _starts(found, low, high):
        done = minimize(
            _loss,
            start,
            args=(found,),
            jac=True,
            method="SLSQP",
            bounds=[(low, high)] * len(found.positions)
            + [(math.log(STEEPNESS[0]), math.log(STEEPNESS[1]))],
            constraints=_constraints(found.positions, convex=convex),
            options={"maxiter": 300, "ftol": _TOLERANCE},
        )
        loss, logs = float(done.fun), done.x[:-1]
        bent = convex and np.any(_bends(logs, np.diff(found.positions)) < -_SLACK)
        feasible = not bent and np.all(np.diff(logs) < _SLACK)
        if feasible and (best is None or loss < best[0]):
            best = loss, done.x
    if best is None:
        raise ArithmeticError("boundary: expected a fit from some start, got none")
    logs, slope = best[1][:-1], math.exp(best[1][-1])
    sizes = np.where(logs < math.log(found.sizes[-1] * 2), np.exp(logs), math.inf)
    return Boundary(sizes, slope, -best[0])


def convexity(found: Successes, rng: Generator, draws: int = 200) -> Convexity:
    """Hold the monotone fit against the monotone and convex one.

    Source
    ------
    Parametric bootstrap of a likelihood ratio: Davison & Hinkley 1997, section 4.2.3.
    """
    monotone, convex, ratio = _ratio(found)
    finite = int(np.isfinite(monotone.sizes).sum())
    if ratio < 1e-4:
        return Convexity(monotone, convex, ratio, 1.0, finite)
    likely = convex.probabilities(found.sizes)
    as_great = 0
    for _ in range(draws):
        drawn = rng.binomial(found.trials, likely)
        again = replace(found, successes=drawn)
        as_great += _ratio(again)[2] >= ratio - 1e-6
    return Convexity(monotone, convex, ratio, (as_great + 1) / (draws + 1), finite)


def _ratio(found: Successes) -> tuple[Boundary, Boundary, float]:
    convex = fit_boundary(found, convex=True)
    monotone = fit_boundary(found, convex=False)
    ratio = 2.0 * (monotone.log_likelihood - convex.log_likelihood)
    return monotone, convex, max(0.0, ratio)


def _loss(values: Floats, found: Successes) -> tuple[float, Floats]:
    """Negative log-likelihood and its gradient by [ln h, ln steepness]."""
    logs, slope = values[:-1], math.exp(values[-1])
    away = np.log(found.sizes) - logs[:, None]
    odds = slope * away
    failures = found.trials - found.successes
    loss = -float(np.sum(found.successes * log_expit(odds) + failures * log_expit(-odds)))
    by_odds = found.trials * expit(odds) - found.successes
    gradient = np.append(-slope * by_odds.sum(axis=1), np.sum(by_odds * odds))
    return loss, np.asarray(gradient, dtype=np.float64)


def _constraints(
    positions: Floats, *, convex: bool
) -> list[LinearConstraint | NonlinearConstraint]:
    """On [ln h, ln steepness]: falls along the axis, and turns upwards only."""
    count = len(positions)
    found: list[LinearConstraint | NonlinearConstraint] = []
    if count > 1:
        falls = np.eye(count - 1, count + 1) - np.eye(count - 1, count + 1, 1)
        found.append(LinearConstraint(falls, 0.0, np.inf))
    if convex and count > 2:
        gaps = np.diff(positions)
        found.append(NonlinearConstraint(lambda values: _bends(values[:-1], gaps), 0.0, np.inf))
    return found


def _bends(logs: Floats, gaps: Floats) -> Floats:
    """Changes of the boundary's slope, in units of the boundary there: ≥ 0 where it is convex."""
    if len(logs) < 3:
        return np.zeros(0)
    sizes = np.exp(logs)
    slopes = np.diff(sizes) / gaps
    bends: Floats = np.diff(slopes) / sizes[1:-1] * np.minimum(gaps[1:], gaps[:-1])
    return bends


def _starts(found: Successes, low: float, high: float) -> list[Floats]:
    """Starts of a search: flat ones, and a falling line, all of them convex."""
    count = len(found.positions)
    levels = np.linspace(low, high, 7)[1:-1]
    flat = [np.append(np.full(count, level), math.log(3.0)) for level in levels]
    along = (found.positions - found.positions[0]) / max(np.ptp(found.positions), 1e-12)
    falling = [
        np.append(start + (end - start) * along, math.log(3.0))
        for start, end in ((high, low), (levels[-1], levels[1]), (levels[2], low))
    ]
    return [*flat, *falling]
