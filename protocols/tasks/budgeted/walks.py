"""Walks between two walls, worked out in writing as far as that is paid for."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mgptn.protocols.tasks.budgeted.steps import BudgetedTask
from mgptn.protocols.tasks.bundled import (
    PERSISTENT,
    Codes,
    Fields,
    Integers,
    Problems,
    combine,
    mix,
)

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


class ScribbledWalks(Walks):
    """Walks whose answers may be as long, by writers who show nothing: any digits, then the end.

    Under ``@3=`` the way there is two digits that say nothing of it. What is right and what is
    wrong is as of `Walks`, and so are the problems.
    """

    name = "scribbled-walks"
    notation = (
        "An answer ends in the place where the walk ends; what stands before it, as many digits as "
        "the budget pays for, means nothing."
    )

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The end, after digits that are drawn evenly."""
        return _scribbled(rng, super().answer(rng, fields))

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """A wrong end of the same kinds, after digits that are drawn evenly; before the persistent
        one those that the question always provokes.
        """
        wrong = super().mistake(rng, problems, kinds)
        key = combine(problems.fields)
        digits = [mix(key + np.uint64(place)) % np.uint64(10) for place in range(self.size)]
        own = _before_last(wrong, np.stack(digits, axis=1).astype(np.int64))
        return np.where(kinds[:, None] == PERSISTENT, own, _scribbled(rng, wrong))


def _scribbled(rng: np.random.Generator, answers: Codes) -> Codes:
    """Answers, uint8 [N, A], with any digits in place of all that stands before the last."""
    return _before_last(answers, rng.integers(0, 10, size=answers.shape))


def _before_last(answers: Codes, digits: Integers) -> Codes:
    """Answers, uint8 [N, A], with these digits [N, A] in place of all that stands before the
    last.
    """
    last = (answers != 0).sum(axis=1, keepdims=True) - 1
    before = np.arange(answers.shape[1]) < last
    return np.where(before, digits + ord("0"), answers).astype(np.uint8)
