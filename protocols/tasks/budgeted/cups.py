"""A ball under one of five cups that change places, followed in writing as far as is paid for."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from itertools import combinations
from typing import ClassVar

import numpy as np

from mgptn.protocols.tasks.budgeted.steps import BudgetedTask
from mgptn.protocols.tasks.bundled import Integers

CUPS, BEGIN = 5, 3
"""How many there are, told from 1, and the one that the ball is under at first."""

SWAPS = tuple(combinations(range(1, CUPS + 1), 2))
"""What each letter does: ``a`` has the first two cups change places, ``j`` the last two."""


def _table() -> Integers:
    leads = np.repeat(np.arange(CUPS + 1)[:, None], len(SWAPS), axis=1)
    for step, (one, other) in enumerate(SWAPS):
        leads[[one, other], step] = other, one
    return leads


class Cups(BudgetedTask):
    """``oahcjbe@2=`` asks where the ball ends that begins under the third of five cups: ``32``.

    Each letter has two cups change places. All that can be done to five things in a row is what no
    adding up does for: who makes six steps at once has to know where the ball is after five. The
    persistent error follows the ball through the swaps from the last to the first.
    """

    name = "cups"
    answer_alphabet = "12345"
    notation = (
        "An answer ends in the number of the cup that the ball is under at last; what stands "
        "before it is where it was on the way, as far as its budget pays for it."
    )
    sign = "o"
    begin = BEGIN
    leads: ClassVar[Integers] = _table()

    def __init__(self, size: int = BudgetedTask.default_size, *, budget: int | None = None) -> None:
        super().__init__(size, budget=budget)

    def misled(self, steps: Integers) -> Integers:
        """The other way round."""
        return self.led(steps[:, ::-1])
