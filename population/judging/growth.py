"""A task that grows: when a population goes on to the next size.

Dimensions: M agents, Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgptn.population.records.arrays import Truths
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
        Share of the problems from which on the size grows: of those that all agree on, or of
        answers that are right.
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
    every: int = 1

    def __post_init__(self) -> None:
        check_name("by", self.by, GROWN_BY)
        check_probabilities(self, "gate")
        check_least(self, 1, "start", "step", "every")
        if self.largest < self.start:
            raise ValueError(f"largest: expected at least {self.start}, got {self.largest}")


def next_size(growth: Growth, size: int, generation: int, outcomes: Outcomes) -> int:
    """The size after a generation of a size, given how its matches ended."""
    if growth.by == "schedule":
        grown = (generation + 1) % growth.every == 0
    elif growth.by == "gold":
        grown = bool(outcomes.verdicts.mean() >= growth.gate)
    else:
        grown = bool(agreed(outcomes).mean() >= growth.gate)
    return min(growth.largest, size + growth.step) if grown else size


def agreed(outcomes: Outcomes, least: int | None = None) -> Truths:
    """Problems to which so many authors gave the same answer, bool [Q]; no verdict is looked at.

    An answer that was cut off agrees with none.

    Parameters
    ----------
    least
        How many; all M if None.
    """
    given = outcomes.answers.astype(np.int64)
    # What was cut off is like nothing else.
    apart = len(outcomes.texts) + np.arange(len(given))
    by_problem = np.sort(
        np.where(outcomes.finished, given, apart).reshape(-1, outcomes.matches.problems), axis=0
    )
    needed = len(by_problem) if least is None else least
    if not 1 <= needed <= len(by_problem):
        raise ValueError(f"least: expected 1 to {len(by_problem)} agents, got {needed}")
    found: Truths = (by_problem[needed - 1 :] == by_problem[: len(by_problem) - needed + 1]).any(
        axis=0
    )
    return found
