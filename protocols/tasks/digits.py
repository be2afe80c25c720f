"""Numbers of any width as columns of digits, and the tasks whose one right answer is digits.

Dimensions: N problems, F fields of a problem, D digits of a number, A digits of an answer. Columns
of a number stand most significant first.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import abstractmethod

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

DIGITS = "0123456789"
LARGEST_SIZE = 48

WIDEST = 18
"""Digits of a number that an int64 holds whatever they are; wider ones are cut into such."""


class DigitTask(BundledTask):
    """Digits between texts that never change, and one right answer, of digits too.

    The random error is another problem's answer; what the other kinds are is the task's own.
    Fields: all digits of the query.

    Parameters
    ----------
    size
        One of the task's `sizes`.
    form
        What a query consists of: text, or how many digits there are.
    answer_width
        Digits of an answer.
    """

    answer_alphabet = DIGITS

    def __init__(self, size: int, form: tuple[str | int, ...], answer_width: int) -> None:
        super().__init__(size)
        self.form = form
        self.query_characters = sum(p if isinstance(p, int) else len(p) for p in form)
        self.max_answer_characters = answer_width

    @abstractmethod
    def solve(self, fields: Fields) -> Integers:
        """The digits of the right answers in the order they are written in, int64 [N, A]."""

    @abstractmethod
    def near_miss(self, rng: np.random.Generator, fields: Fields) -> Integers:
        """Digits of an answer close to the right one, int64 [N, A]."""

    @abstractmethod
    def persistent_error(self, fields: Fields) -> Integers:
        """Digits of the wrong answer that each problem always provokes, int64 [N, A]."""

    @abstractmethod
    def solve_plainly(self, query: str) -> str:
        """The right answer to a query of this task, worked out without arrays."""

    def is_asked(self, fields: Fields) -> Flags:
        """Which digits make a problem of this task, bool [N]; all, unless it says otherwise."""
        return np.ones(len(fields), dtype=np.bool_)

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of all digits."""
        return combine(as_numbers(fields))

    def render(self, fields: Fields) -> Codes:
        """The digits in their places between the texts."""
        parts, place = [], 0
        for part in self.form:
            if isinstance(part, int):
                parts.append(written(fields[:, place : place + part]))
                place += part
            else:
                parts.append(constant(part, len(fields)))
        return np.hstack(parts)

    def parse(self, query: str) -> Fields | None:
        """The digits, if everything stands in its place and the task asks about them."""
        digits, rest = "", query
        for part in self.form:
            width = part if isinstance(part, int) else len(part)
            piece, rest = rest[:width], rest[width:]
            if isinstance(part, int):
                if not is_digits(piece, part):
                    return None
                digits += piece
            elif piece != part:
                return None
        fields = np.array([[int(digit) for digit in digits]])
        return fields if not rest and self.is_asked(fields)[0] else None

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The one right answer."""
        return written(self.solve(fields))

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Every digit as it should be."""
        same: Flags = (answers == written(self.solve(fields))).all(axis=1)
        return same

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """The task's own near miss; another problem's answer; the task's own persistent error."""
        near = self.near_miss(rng, problems.fields)
        far = self.solve(self.propose(rng, len(near), "train"))
        persistent = self.persistent_error(problems.fields)
        wrong = np.where((kinds == NEAR)[:, None], near, far)
        return written(np.where((kinds == PERSISTENT)[:, None], persistent, wrong))

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the answer is exactly the one that there is."""
        return self.parse(query) is not None and answer == self.solve_plainly(query)


def written(digits: Integers) -> Codes:
    """Digits [N, D] as characters, uint8 [N, D]."""
    return (digits + ord("0")).astype(np.uint8)


def draw_digits(rng: np.random.Generator, count: int, numbers: int, width: int) -> Integers:
    """Digits of numbers uniform below 10^width, int64 [count, numbers, width].

    A number of up to 18 digits is one draw.
    """
    cut, pieces = _cut(width)
    drawn = rng.integers(0, 10**cut, size=(count, numbers, pieces))
    digits = drawn[..., None] // _powers(cut) % 10
    return digits.reshape(count, numbers, pieces * cut)[..., -width:]


def as_numbers(digits: Integers) -> Integers:
    """Digits [N, D] as the number they make, or several if it is wide: int64 [N, ⌈D / 18⌉]."""
    cut, pieces = _cut(digits.shape[1])
    padded = np.pad(digits, ((0, 0), (pieces * cut - digits.shape[1], 0)))
    numbers: Integers = padded.reshape(len(digits), pieces, cut) @ _powers(cut)
    return numbers


def carry(columns: Integers) -> Integers:
    """The same numbers, with 0 … 9 in all columns [N, D] but the first, which takes the rest.

    What a column lacks is borrowed.
    """
    columns = columns.copy()
    for place in range(columns.shape[1] - 1, 0, -1):
        columns[:, place - 1] += columns[:, place] // 10
        columns[:, place] %= 10
    return columns


def in_order(first: Integers, second: Integers) -> tuple[Integers, Integers]:
    """The smaller and the larger of two numbers in each row, digits or pieces [N, D]."""
    place = (first != second).argmax(axis=1)[:, None]
    swapped = np.take_along_axis(first, place, 1) > np.take_along_axis(second, place, 1)
    return np.where(swapped, second, first), np.where(swapped, first, second)


def widened(digits: Integers) -> Integers:
    """The same numbers with a zero in front, [N, D + 1]."""
    wide: Integers = np.zeros((digits.shape[0], digits.shape[1] + 1), dtype=digits.dtype)
    wide[:, 1:] = digits
    return wide


def _cut(width: int) -> tuple[int, int]:
    """Digits of a piece, and how many pieces there are of a number."""
    return min(width, WIDEST), -(-width // WIDEST)


def _powers(width: int) -> Integers:
    powers: Integers = 10 ** np.arange(width - 1, -1, -1)
    return powers
