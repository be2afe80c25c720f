"""What an experiment found: numbers with intervals, a test, and the verdict that follows."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats

Verdict = Literal["holds", "fails", "undecided"]
State = Literal["shown", "refuted", "open"]
Statistic = Callable[[Floats], Floats]
DRAWS = 1000
INTERVALS = "by bootstrap over seeds and the problems of each"


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its 95 % interval, and what it is of; NaN where it is undefined."""

    name: str
    value: float
    low: float
    high: float

    def told(self) -> str:
        """``.250 (.200 to .310)``."""
        return f"{short(self.value)} ({short(self.low)} to {short(self.high)})"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be so if the claim holds, and whether the numbers show it."""

    state: State
    told: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The end of an experiment.

    Attributes
    ----------
    verdict, why
        Whether the claim holds, and by what.
    p
        Of the primary test, for correction across claims; NaN where it has none.
    numbers
        By group, in the order of the page.
    caveats
        What it does not say.
    curves
        What the figure shows besides: name → values, by round or along an axis.
    intervals
        How the numbers' intervals were made.
    """

    verdict: Verdict
    why: tuple[str, ...]
    p: float
    numbers: dict[str, tuple[Number, ...]]
    caveats: tuple[str, ...] = ()
    curves: dict[str, tuple[float, ...]] = field(default_factory=dict)
    intervals: str = INTERVALS

    @classmethod
    def by(cls, conditions: Sequence[Condition], **rest: Any) -> Finding:
        """The finding whose verdict follows from conditions; the rest as it stands."""
        verdict, why = decide(conditions)
        return cls(verdict=verdict, why=why, **rest)

    def number(self, group: str, name: str) -> Number:
        """One number by its group and name."""
        return next(number for number in self.numbers[group] if number.name == name)

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it: null in place of NaN."""
        plain: dict[str, Any] = _nulled(asdict(self))
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Finding:
        """The inverse of `to_plain`."""
        return cls(
            verdict=plain["verdict"],
            why=tuple(plain["why"]),
            p=_or_nan(plain["p"]),
            numbers={
                group: tuple(
                    Number(row["name"], *(_or_nan(row[part]) for part in ("value", "low", "high")))
                    for row in rows
                )
                for group, rows in plain["numbers"].items()
            },
            caveats=tuple(plain["caveats"]),
            curves={name: tuple(map(_or_nan, of)) for name, of in plain["curves"].items()},
            intervals=plain.get("intervals", INTERVALS),
        )


def above(number: Number, bound: float) -> Condition:
    """That a number is above a bound: the claim has the burden of proof.

    Shown if its interval is above; refuted if not even the number itself is; else open.
    """
    told = f"{number.name} {number.told()}, expected above {short(bound)}"
    if math.isnan(number.value) or number.value <= bound:
        return Condition("refuted", told)
    return Condition("shown" if number.low > bound else "open", told)


def within(number: Number, least: float, most: float) -> Condition:
    """That a number lies between bounds, as a theory predicts.

    Shown if its interval does; refuted if its interval lies outside, or it is undefined; else
    open.
    """
    told = f"{number.name} {number.told()}, expected {short(least)} to {short(most)}"
    if math.isnan(number.value) or number.high < least or number.low > most:
        return Condition("refuted", told)
    inside = number.low >= least and number.high <= most
    return Condition("shown" if inside else "open", told)


def decide(conditions: Sequence[Condition]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and by which conditions: all shown, any refuted, or else those left open."""
    for state, verdict in (("refuted", "fails"), ("open", "undecided")):
        named = tuple(one.told for one in conditions if one.state == state)
        if named:
            return ("fails" if verdict == "fails" else "undecided"), named
    return "holds", tuple(one.told for one in conditions)


def resampled(name: str, clusters: Floats, statistic: Statistic, draws: int = DRAWS) -> Floats:
    """A statistic of bootstrap samples, float64 [draws]: seeds drawn, then problems in each.

    Parameters
    ----------
    name
        Names the draws, so that equal data give equal intervals.
    clusters
        float64 [S, Q, ...]: of seeds, whose problems share a population, and problems.
    statistic
        From means over seeds and problems, float64 [draws, ...], to float64 [draws].

    Source
    ------
    Davison & Hinkley 1997, section 3.8.
    """
    rng = stream(0, "claims", name)
    seeds, problems = clusters.shape[:2]
    cells = seeds * problems
    drawn = rng.integers(seeds, size=(draws, seeds, 1)) * problems
    drawn = drawn + rng.integers(problems, size=(draws, seeds, problems))
    places = drawn.reshape(draws, cells) + np.arange(draws)[:, None] * cells
    weights = np.bincount(places.ravel(), minlength=draws * cells).reshape(draws, cells) / cells
    return statistic((weights @ clusters.reshape(cells, -1)).reshape(draws, *clusters.shape[2:]))


def estimate(name: str, clusters: Floats, statistic: Statistic, draws: int = DRAWS) -> Number:
    """A statistic with its percentile interval, as of `resampled`; NaN draws are left out."""
    samples = resampled(name, clusters, statistic, draws)
    known = samples[~np.isnan(samples)]
    low, high = np.quantile(known, [0.025, 0.975]).tolist() if known.size else (math.nan,) * 2
    return Number(name, float(statistic(clusters.mean(axis=(0, 1))[None])[0]), low, high)


def share_at_or_below(samples: Floats, bound: float) -> float:
    """One-sided bootstrap p: the share of samples at or below a bound, never below 1/(n + 1)."""
    known = samples[~np.isnan(samples)]
    return float((np.sum(known <= bound) + 1) / (known.size + 1))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for how many there are, NaN left out of the count.

    Parameters
    ----------
    p
        Name → p in [0, 1], or NaN where there is no test.

    Source
    ------
    Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    tested = sorted((value, name) for name, value in p.items() if not math.isnan(value))
    corrected, worst = dict.fromkeys(p, math.nan), 0.0
    for place, (value, name) in enumerate(tested):
        worst = max(worst, min(1.0, (len(tested) - place) * value))
        corrected[name] = worst
    return corrected


def short(value: float) -> str:
    """``.250``, ``−1.20``, ``undefined``."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1:
        return f"{value:.2f}".replace("-", "−")
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−").replace("0.", ".", 1)


def _nulled(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _nulled(item) for key, item in value.items()}
    return [_nulled(item) for item in value] if isinstance(value, list | tuple) else value


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
