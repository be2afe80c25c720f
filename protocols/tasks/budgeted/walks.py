"""Walks between two walls, worked out in writing as far as that is paid for."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mgptn.protocols.tasks.budgeted.steps import BudgetedTask
from mgptn.protocols.tasks.bundled import Integers

FIRST, LAST, BEGIN = 0, 9, 5
"""The walls, and where a walk begins."""

TAKEN = np.arange(-4, 5)
"""Steps, from four down to four up: ``e`` stays where it is."""


class Walks(BudgetedTask):
    """``+aahiae@3=`` asks where a walk from 5 ends, in three characters: ``103``.

    It goes four down, four down, three up, four up, four down, and stays; where there is a wall, at
    0 and 9, it goes no further. The persistent error knows no walls.
    """

    name = "walks"
    answer_alphabet = "0123456789"
    notation = (
        "An answer ends in the place where the walk ends; what stands before it is the way there, "
        "as far as its budget pays for it."
    )
    sign = "+"
    begin = BEGIN
    leads: ClassVar[Integers] = np.clip(np.arange(LAST + 1)[:, None] + TAKEN, FIRST, LAST)

    def __init__(self, size: int = BudgetedTask.default_size, *, budget: int | None = None) -> None:
        super().__init__(size, budget=budget)

    def misled(self, steps: Integers) -> Integers:
        """Round at the walls."""
        return (BEGIN + np.cumsum(TAKEN[steps], axis=1)) % (LAST + 1)
