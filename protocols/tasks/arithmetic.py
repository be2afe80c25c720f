"""Addition, subtraction and multiplication by a digit, results written least significant first.

Dimensions: N problems, F fields of a problem, A digits of an answer.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import Fields, Flags, Integers, combine
from mgptn.protocols.tasks.digits import (
    LARGEST_SIZE,
    DigitTask,
    as_numbers,
    carry,
    draw_digits,
    in_order,
    widened,
)
from mgptn.protocols.tasks.task import Split

NEAR_MISSES = (1, -1, 2, -2, 10, -10, 11, -11, 100, -100)


class Arithmetic(DigitTask):
    """A task that asks for a number of fixed width; the near miss is off by a little.

    What is off stays within the width: below zero it goes on from the top.
    """

    sizes = range(1, LARGEST_SIZE + 1)
    default_size = 2
    notation = (
        "Results are written with their least significant digit first, at a fixed width: 821 is "
        "one hundred and twenty-eight."
    )
    leading: ClassVar[int]
    """How many values the first digit of a result can have."""

    def __init__(self, size: int, form: tuple[str | int, ...], answer_width: int) -> None:
        super().__init__(size, form, answer_width)
        steps = [s for s in NEAR_MISSES if abs(s) < self.leading * 10 ** (answer_width - 1)]
        self._steps = np.array([_columns(step, answer_width) for step in steps])

    @abstractmethod
    def result(self, fields: Fields) -> Integers:
        """Digits of the right numbers, most significant first, int64 [N, A]."""

    def solve(self, fields: Fields) -> Integers:
        """The result backwards, so that each digit follows from what is written before it."""
        return self.result(fields)[:, ::-1]

    def near_miss(self, rng: np.random.Generator, fields: Fields) -> Integers:
        """Off by a little."""
        steps = self._steps[rng.choice(len(self._steps), size=len(fields))]
        return self._within(self.result(fields) + steps)[:, ::-1]

    def _within(self, columns: Integers) -> Integers:
        """Numbers of any columns [N, A] as digits, what does not fit into the first cut off."""
        digits = carry(columns)
        digits[:, 0] %= self.leading
        return digits


class Addition(Arithmetic):
    """``ab+cd=`` with zero-padded operands; the answer has one digit more, reversed.

    ``17+25=`` is answered by ``240``. The persistent error carries into the tens just where nothing
    is to be carried: ``230``. The size is the width of an operand. Fields: digits of both operands.
    """

    name = "addition"
    leading = 2

    def __init__(self, size: int = Arithmetic.default_size) -> None:
        super().__init__(size, (size, "+", size, "="), size + 1)

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Both operands uniform."""
        return draw_digits(rng, count, 2, self.size).reshape(count, 2 * self.size)

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the unordered pair: a sum is in the same split in either order."""
        first, second = (as_numbers(part) for part in np.split(fields, 2, axis=1))
        return combine(np.hstack(in_order(first, second)))

    def result(self, fields: Fields) -> Integers:
        """The sum."""
        return carry(widened(fields[:, : self.size] + fields[:, self.size :]))

    def persistent_error(self, fields: Fields) -> Integers:
        """Carried into the tens just where nothing is to be carried, and not where it is."""
        sums = self.result(fields)
        carries = fields[:, self.size - 1] + fields[:, -1] >= 10
        sums[:, -2] += np.where(carries, -1, 1)
        return self._within(sums)[:, ::-1]

    def solve_plainly(self, query: str) -> str:
        """The reversed, zero-padded sum."""
        first, second = query.removesuffix("=").split("+")
        return f"{int(first) + int(second):0{self.size + 1}d}"[::-1]

    def canonical(self, query: str) -> str:
        """The query with its operands in ascending order."""
        return "+".join(sorted(query.removesuffix("=").split("+"))) + "="


class Subtraction(Arithmetic):
    """``ab-cd=`` with zero-padded operands, the first no smaller; the answer has as many digits.

    ``52-17=`` is answered by ``53``, thirty-five reversed. The persistent error borrows from the
    tens just where nothing is to be borrowed: ``54``; numbers of one digit, which have no tens,
    make it one too few. The size is the width of an operand. Fields: digits of both operands.
    """

    name = "subtraction"
    leading = 10

    def __init__(self, size: int = Arithmetic.default_size) -> None:
        super().__init__(size, (size, "-", size, "="), size)

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Two numbers uniform, the smaller taken from the larger."""
        drawn = draw_digits(rng, count, 2, self.size)
        smaller, larger = in_order(drawn[:, 0], drawn[:, 1])
        return np.hstack([larger, smaller])

    def is_asked(self, fields: Fields) -> Flags:
        """Where the first number is no smaller than the second."""
        first = fields[:, : self.size]
        asked: Flags = (in_order(first, fields[:, self.size :])[1] == first).all(axis=1)
        return asked

    def result(self, fields: Fields) -> Integers:
        """The difference."""
        return carry(fields[:, : self.size] - fields[:, self.size :])

    def persistent_error(self, fields: Fields) -> Integers:
        """Borrowed from the tens just where nothing is to be borrowed, and not where it is."""
        differences = self.result(fields)
        borrows = fields[:, self.size - 1] < fields[:, -1]
        differences[:, max(self.size - 2, 0)] += np.where(borrows, 1, -1)
        return self._within(differences)[:, ::-1]

    def solve_plainly(self, query: str) -> str:
        """The reversed, zero-padded difference."""
        first, second = query.removesuffix("=").split("-")
        return f"{int(first) - int(second):0{self.size}d}"[::-1]


class Multiplication(Arithmetic):
    """``abcx7=`` with a zero-padded number and a digit from 2 to 9; one digit more, reversed.

    ``17x5=`` is answered by ``580``, eighty-five reversed. The persistent error forgets what is
    carried into the tens, ``550``, or carries one where nothing is to be carried. The size is the
    width of the number. Fields: its digits, the other factor.
    """

    name = "multiplication"
    leading = 10

    def __init__(self, size: int = Arithmetic.default_size) -> None:
        super().__init__(size, (size, "x", 1, "="), size + 1)

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Number and factor uniform."""
        number = draw_digits(rng, count, 1, self.size)[:, 0]
        return np.hstack([number, rng.integers(2, 10, size=(count, 1))])

    def is_asked(self, fields: Fields) -> Flags:
        """Where the factor is neither 0 nor 1."""
        asked: Flags = fields[:, -1] >= 2
        return asked

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of number and factor, in either order if the number is a digit as well."""
        one_digit = (fields[:, : self.size - 1] == 0).all(axis=1)[:, None]
        factors = np.where(one_digit, np.sort(fields[:, -2:], axis=1), fields[:, -2:])
        return combine(as_numbers(np.hstack([fields[:, :-2], factors])))

    def result(self, fields: Fields) -> Integers:
        """The product."""
        return carry(widened(fields[:, : self.size] * fields[:, -1:]))

    def persistent_error(self, fields: Fields) -> Integers:
        """Nothing carried into the tens, or one where nothing is to be carried."""
        products = self.result(fields)
        carried = fields[:, self.size - 1] * fields[:, -1] // 10
        products[:, -2] += np.where(carried > 0, -carried, 1)
        return self._within(products)[:, ::-1]

    def solve_plainly(self, query: str) -> str:
        """The reversed, zero-padded product."""
        number, factor = query.removesuffix("=").split("x")
        return f"{int(number) * int(factor):0{self.size + 1}d}"[::-1]

    def canonical(self, query: str) -> str:
        """The query; if both factors are digits, with the smaller first."""
        number, _, factor = query.removesuffix("=").partition("x")
        if number[:-1].strip("0"):
            return query
        smaller, larger = sorted((number[-1:], factor))
        return f"{number[:-1]}{smaller}x{larger}="


def _columns(step: int, width: int) -> list[int]:
    """A number as digits that all have its sign."""
    sign = -1 if step < 0 else 1
    return [sign * int(digit) for digit in f"{abs(step):0{width}d}"]
