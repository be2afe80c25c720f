"""A task that grows: when a population goes on to the next size."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

from mgptn.population.judging.agreeing import agreed_share
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.settled import check_least, check_name, check_probabilities

GROWN_BY = ("agreement", "gold", "schedule")
"""What decides: what members agree on, which takes no verdict; verdicts, for a control; or time."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How the size of a task follows from what became of it.

    Attributes
    ----------
    start, step, largest
        The first size, what is added at a time, and where growth ends.
    by
        A name in `GROWN_BY`.
    gate
        Share of the problems from which on the size grows: of those that are agreed on, or of
        answers with a verdict that are right.
    agree
        Of agreement: how many agents have to give the same answer; all where it is None.
    every
        Of a schedule: generations of each size.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    start: int
    largest: int
    step: int = 1
    by: str = "agreement"
    gate: float = 0.5
    agree: int | None = None
    every: int = 1

    def __post_init__(self) -> None:
        check_name("by", self.by, GROWN_BY)
        check_probabilities(self, "gate")
        check_least(self, 1, "start", "step", "every")
        if self.agree is not None:
            check_least(self, 1, "agree")
        if self.largest < self.start:
            raise ValueError(f"largest: expected at least {self.start}, got {self.largest}")


def next_size(growth: Growth, size: int, generation: int, outcomes: Outcomes) -> int:
    """The size after a generation of a size, given how its matches ended."""
    if growth.by == "schedule":
        grown = (generation + 1) % growth.every == 0
    elif growth.by == "gold":
        known = outcomes.verdicts[outcomes.known]
        grown = bool(len(known) and known.mean() >= growth.gate)
    else:
        grown = agreed_share(outcomes, growth.agree) >= growth.gate
    return min(growth.largest, size + growth.step) if grown else size
