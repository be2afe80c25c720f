"""What an experiment found: numbers with intervals, a test, and the verdict that follows."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from mgptn.experiments.claims.method.claim import load_claim
from mgptn.experiments.claims.method.deciding import Verdict, conditions_of, decide
from mgptn.experiments.claims.method.numbers import SEEDS, Number

INTERVALS = "Student's by the spread between seeds, Wilson's of shares"
PARTS = ("value", "low", "high", "error")
"""Of a number, null in JSON where they are no number."""

EARLIER = "by bootstrap over seeds and the problems of each"
"""Of findings that do not say."""

DECIDES = "What decides"
"""The group of numbers that the verdict rests on, first on the page."""


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
    def by(
        cls, claim: str, decisive: Sequence[Number], numbers: Mapping[str, Any], **rest: Any
    ) -> Finding:
        """The finding whose verdict follows from the registered conditions of decisive numbers.

        Raises
        ------
        ArithmeticError
            If no condition is registered of one of them.
        """
        conditions = conditions_of(load_claim(claim).registered.decides, decisive)
        verdict, why = decide(conditions)
        return cls(verdict=verdict, why=why, numbers={DECIDES: tuple(decisive), **numbers}, **rest)

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
                    Number(
                        name=row["name"],
                        units=row.get("units", 0),
                        unit=row.get("unit", SEEDS),
                        **{part: _or_nan(row.get(part)) for part in PARTS},
                    )
                    for row in rows
                )
                for group, rows in plain["numbers"].items()
            },
            caveats=tuple(plain["caveats"]),
            curves={name: tuple(map(_or_nan, of)) for name, of in plain["curves"].items()},
            intervals=plain.get("intervals", EARLIER),
        )


def worst(p: Iterable[float]) -> float:
    """The p of all of several things: the largest; NaN of none, or where one is undefined."""
    tested = list(p)
    return max(tested) if tested and not any(map(math.isnan, tested)) else math.nan


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


def _nulled(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _nulled(item) for key, item in value.items()}
    return [_nulled(item) for item in value] if isinstance(value, list | tuple) else value


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
