"""Tasks that may be worked out in writing, step by step: a question says how much it pays for.

Dimensions: N problems, S steps of a problem, P places, A characters of the longest answer.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import abstractmethod
from functools import reduce
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    BundledTask,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    combine,
    constant,
    is_digits,
)
from mgptn.protocols.tasks.task import Split, sizes_in_words

BUDGET = "@"
STEPS = "abcdefghij"
"""Letters of steps; a task has the first ones."""


class BudgetedTask(BundledTask):
    """Where steps lead, in at most so many characters: ``+aahiae@3=`` pays for three.

    An answer tells the place after each step, and at last the one after all, which alone counts.
    How many characters are paid for is the budget: under ``@1=`` the end is told at once, under
    ``@6=`` of six steps every place, and between the two every place until the last character,
    which makes up for all that are left. An answer that is longer than its budget is wrong. The
    near miss has misread a step, the random error is any place at the end, and the persistent one
    is the task's own. The size is the number of steps. Fields: the steps, and the budget.

    Parameters
    ----------
    budget
        Of every problem that is drawn, from 1 to the size; if None, all are equally common.

    Raises
    ------
    ValueError
        If there is no such size or budget.
    """

    sizes = (4, 6, 8)
    default_size = 6
    ragged = True
    sign: ClassVar[str]
    """What a question begins with."""
    begin: ClassVar[int]
    """The digit of the place where everything begins."""
    leads: ClassVar[Integers]
    """The place after each place and step, int64 [P, steps]; of digits that are none, any."""

    def __init__(self, size: int, *, budget: int | None = None) -> None:
        super().__init__(size)
        self.budgets = range(1, size + 1)
        if budget is not None and budget not in self.budgets:
            raise ValueError(
                f"task.options.budget: expected {sizes_in_words(self.budgets)}, got {budget}"
            )
        self._offered = self.budgets if budget is None else (budget,)
        self.query_characters = size + len("+@1=")
        self.max_answer_characters = size
        self.letters = STEPS[: self.leads.shape[1]]

    @abstractmethod
    def misled(self, steps: Integers) -> Integers:
        """The places of who makes the task's own mistake, int64 [N, S]."""

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Every step uniform; the same ones under any budget."""
        steps = rng.integers(0, len(self.letters), size=(count, self.size))
        place = rng.integers(0, 1 << 32, size=(count, 1)) % len(self._offered)
        return np.hstack([steps, np.array(self._offered)[place]])

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the steps: what is held out is so under every budget."""
        return combine(fields[:, :-1])

    def canonical(self, query: str) -> str:
        """The steps; of a query that is none, itself."""
        return query if self.parse(query) is None else query.partition(BUDGET)[0]

    def render(self, fields: Fields) -> Codes:
        """The steps, the budget, and the question's end."""
        steps, budget = np.hsplit(fields, [self.size])
        written = (steps + ord(STEPS[0])).astype(np.uint8), (budget + ord("0")).astype(np.uint8)
        marks = (constant(mark, len(fields)) for mark in (self.sign, BUDGET, "="))
        return np.hstack([next(marks), written[0], next(marks), written[1], next(marks)])

    def parse(self, query: str) -> Fields | None:
        """Steps and a budget."""
        steps, _, budget = query.removeprefix(self.sign).removesuffix("=").partition(BUDGET)
        in_form = len(steps) == self.size and set(steps) <= set(self.letters)
        if not in_form or not is_digits(budget, 1) or int(budget) not in self.budgets:
            return None
        if query != f"{self.sign}{steps}{BUDGET}{budget}=":
            return None
        return np.array([[*map(STEPS.index, steps), int(budget)]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The places, as far as they are paid for."""
        return _written(self.led(fields[:, :-1]), fields[:, -1])

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Digits, no more of them than are paid for, the end last."""
        lengths = (answers != 0).sum(axis=1)
        digits = ((answers >= ord("0")) & (answers <= ord("9"))) | (answers == 0)
        last = answers[np.arange(len(answers)), np.maximum(lengths - 1, 0)]
        within = (lengths > 0) & (lengths <= fields[:, -1])
        wanted = self.led(fields[:, :-1])[:, -1] + ord("0")
        return np.asarray(digits.all(axis=1) & within & (last == wanted))

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """A step misread; any place; the task's own."""
        steps, budgets = problems.fields[:, :-1], problems.fields[:, -1]
        known = len(self.letters)
        place = np.arange(self.size) == rng.integers(0, self.size, size=(len(steps), 1))
        misread = (steps + place * rng.integers(1, known, (len(steps), 1))) % known
        anywhere = rng.choice([*map(int, self.answer_alphabet)], size=steps.shape)
        cases = [kinds[:, None] == NEAR, kinds[:, None] == PERSISTENT]
        made = [self.led(misread), self.misled(steps)]
        return _written(np.select(cases, made, anywhere), budgets)

    def verify(self, query: str, answer: str) -> bool:
        """As `right`, of text, step by step."""
        fields = self.parse(query)
        if fields is None or not answer or not is_digits(answer, len(answer)):
            return False
        *steps, budget = fields[0].tolist()
        end = reduce(lambda at, step: int(self.leads[at, step]), steps, self.begin)
        return len(answer) <= budget and int(answer[-1]) == end

    def counted(self, query: str, answer: str) -> str | None:
        """The end, whatever was worked out before it."""
        return answer[-1:] or None

    def led(self, steps: Integers) -> Integers:
        """Where steps lead after each of them, int64 [N, S]."""
        places = np.empty_like(steps)
        at = np.full(len(steps), self.begin)
        for step, taken in enumerate(steps.T):
            at = places[:, step] = self.leads[at, taken]
        return places


def _written(places: Integers, budgets: Integers) -> Codes:
    """The places that are paid for, filled up with nothing, uint8 [N, A]."""
    step = np.arange(places.shape[1])
    told = np.where(step == budgets[:, None] - 1, places[:, -1:], places) + ord("0")
    return np.where(step < budgets[:, None], told, 0).astype(np.uint8)
