"""What an experiment found: numbers with intervals, a test, and the verdict that follows."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from population.grading import Interval
from population.streams import stream

Verdict = Literal["holds", "fails", "undecided"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its 95 % interval, and what it is of."""

    name: str
    value: float
    low: float
    high: float

    def told(self) -> str:
        """``.25 (.20 to .31)``."""
        return f"{_short(self.value)} ({_short(self.low)} to {_short(self.high)})"


@dataclass(frozen=True, slots=True)
class Finding:
    """The end of an experiment.

    Attributes
    ----------
    verdict, why
        Whether the claim holds, and a sentence that says by what.
    p
        Of the primary test, for correction across claims; NaN where it has none.
    numbers
        By group, in the order of the page.
    caveats
        What it does not say.
    """

    verdict: Verdict
    why: str
    p: float
    numbers: dict[str, tuple[Number, ...]]
    caveats: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Finding:
        """The inverse of `to_plain`."""
        numbers = {
            group: tuple(Number(**number) for number in rows)
            for group, rows in plain["numbers"].items()
        }
        return cls(
            verdict=plain["verdict"],
            why=plain["why"],
            p=math.nan if plain["p"] is None else plain["p"],
            numbers=numbers,
            caveats=tuple(plain["caveats"]),
            extra=plain["extra"],
        )


def over_clusters(
    name: str, clusters: Floats, statistic: Callable[[Floats], float], draws: int = 2000
) -> Number:
    """A statistic with its percentile interval, clusters (axis 0) drawn with replacement.

    The draws are named by the number's name, so that equal data give equal intervals.

    Source
    ------
    Davison & Hinkley 1997, section 3.8.
    """
    samples = resampled(name, clusters, statistic, draws)
    known = samples[~np.isnan(samples)]
    low, high = np.quantile(known, [0.025, 0.975]).tolist() if known.size else (math.nan,) * 2
    return Number(name, statistic(clusters), low, high)


def resampled(
    name: str, clusters: Floats, statistic: Callable[[Floats], float], draws: int = 2000
) -> Floats:
    """A statistic of as many bootstrap samples of clusters, float64 [draws]."""
    rng, count = stream(0, "claims", name), len(clusters)
    return np.array([statistic(clusters[rng.integers(count, size=count)]) for _ in range(draws)])


def share_at_or_below(samples: Floats, bound: float) -> float:
    """One-sided bootstrap p: the share of samples at or below a bound, never below 1/(n + 1)."""
    known = samples[~np.isnan(samples)]
    return float((np.sum(known <= bound) + 1) / (known.size + 1))


def interval(number: Number) -> Interval:
    """A number's interval alone."""
    return Interval(number.low, number.high)


def _short(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"
