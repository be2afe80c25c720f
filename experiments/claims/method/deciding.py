"""What decides a claim: conditions that were registered, each of a number and its bounds.

A number's interval within the bounds shows a condition, one that lies outside refutes it, and any
other leaves it open: neither is the absence of the other.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from pydantic import model_validator

from mgptn.experiments.claims.method.numbers import Number, short
from mgptn.experiments.config.sections.section import Section

Verdict = Literal["holds", "fails", "undecided"]
State = Literal["shown", "refuted", "open"]
STATES: tuple[State, ...] = ("refuted", "open", "shown")
"""The worst first."""


class Decides(Section):
    """A registered condition: which numbers it is of, within what, and what they can be.

    Attributes
    ----------
    what
        Name of the number, with ``*`` for any part of it: several numbers are several conditions.
    above, below
        What the number must lie between; one of them may be left out.
    can_be
        The least and the greatest that the number can be. There must be room for an interval on
        either side of the bounds, so that the condition can be shown and refuted.
    asked
        Where there is no such number, whether it is undefined, and so open, or nothing is asked.
    """

    what: str
    above: float | None = None
    below: float | None = None
    can_be: tuple[float, float] = (-math.inf, math.inf)
    asked: Literal["always", "if-any"] = "always"

    @model_validator(mode="after")
    def _can_hold_and_fail(self) -> Decides:
        low, high = self.bounds
        if self.above is None and self.below is None:
            raise ValueError(f"{self.what}: expected a bound above or below, got neither")
        if not low < high:
            raise ValueError(f"{self.what}: expected above < below, got {low} and {high}")
        least, most = self.can_be
        if not (max(low, least) < min(high, most)):
            raise ValueError(
                f"{self.what}: expected bounds within {self.can_be}, or it cannot hold"
            )
        if low <= least and high >= most:
            raise ValueError(
                f"{self.what}: expected bounds within {self.can_be}, or it cannot fail"
            )
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """What the number must lie between, infinite where it may be anything."""
        return (
            -math.inf if self.above is None else self.above,
            math.inf if self.below is None else self.below,
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """A number that must lie between bounds if the claim holds, and whether it is shown to."""

    number: Number
    above: float
    below: float

    @property
    def state(self) -> State:
        """By the whole interval on either side; open where there is none."""
        number = self.number
        if number.low > self.above and number.high < self.below:
            return "shown"
        return "refuted" if number.high <= self.above or number.low >= self.below else "open"

    @property
    def told(self) -> str:
        """The number, what was expected of it, and what it would take to decide it."""
        told = f"{self.number.name} {self.number.told()}, expected {self.expected}"
        return f"{told}; {self._needed}" if self.state == "open" else told

    @property
    def expected(self) -> str:
        """Bounds, in words."""
        if math.isinf(self.below):
            return f"above {short(self.above)}"
        if math.isinf(self.above):
            return f"below {short(self.below)}"
        return f"{short(self.above)} to {short(self.below)}"

    @property
    def _needed(self) -> str:
        """How many units would decide, were number and spread as they are."""
        number = self.number
        if math.isnan(number.value):
            return "undefined, so that nothing decides it"
        ends = [abs(number.value - end) for end in (self.above, self.below) if math.isfinite(end)]
        seeds = number.units_for(min(ends))
        if seeds is None:
            return f"how many {number.unit} would decide cannot be told"
        if seeds > 10 * number.units and seeds > 200:
            return f"some {seeds:,} {number.unit} would decide it: it is all but at its bound"
        return (
            f"some {seeds:,} {number.unit} would decide it, {max(0, seeds - number.units):,} more"
        )


class Row(NamedTuple):
    """A registered condition in a table.

    Attributes
    ----------
    least
        Of its numbers that which is furthest from showing it.
    of, shown
        How many numbers it is of, and how many of them show it.
    """

    least: Condition
    of: int
    shown: int


def rows_of(registered: Sequence[Decides], numbers: Sequence[Number]) -> list[Row]:
    """A row for each registered condition that there are numbers of, refuted ones first."""
    rows = []
    for one in registered:
        of = [
            Condition(number, *one.bounds)
            for number in numbers
            if fnmatchcase(number.name, one.what)
        ]
        if of:
            shown = sum(condition.state == "shown" for condition in of)
            rows.append(Row(min(of, key=_closeness), len(of), shown))
    return sorted(rows, key=lambda row: STATES.index(row.least.state))


def _closeness(condition: Condition) -> tuple[int, float]:
    """How near a condition is to being shown: its state, then how deep its interval is inside."""
    number = condition.number
    inside = min(number.low - condition.above, condition.below - number.high)
    return STATES.index(condition.state), -math.inf if math.isnan(inside) else inside


def conditions_of(registered: Sequence[Decides], numbers: Sequence[Number]) -> list[Condition]:
    """Every registered condition of the numbers that it names; of none, one that is undefined.

    Raises
    ------
    ArithmeticError
        If a number is in no condition: what decides is registered, and nothing else.
    """
    found, used = [], set()
    for one in registered:
        of = [number for number in numbers if fnmatchcase(number.name, one.what)]
        used |= {number.name for number in of}
        if not of and one.asked == "if-any":
            continue
        of = of or [Number(one.what, math.nan, math.nan, math.nan)]
        found += [Condition(number, *one.bounds) for number in of]
    for number in numbers:
        if number.name not in used:
            raise ArithmeticError(f"decides: expected a registered condition of {number.name!r}")
    return found


def decide(conditions: Sequence[Condition]) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and by which conditions: all shown, any refuted, or else those left open."""
    for state, verdict in (("refuted", "fails"), ("open", "undecided")):
        named = tuple(one.told for one in conditions if one.state == state)
        if named:
            return ("fails" if verdict == "fails" else "undecided"), named
    return "holds", tuple(one.told for one in conditions)
