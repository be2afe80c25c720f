"""Strings of digits copied, reversed and sorted, and bits with their running parity.

Dimensions: N problems, D digits of a string.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import Fields, Flags, Integers, combine
from mgptn.protocols.tasks.digits import LARGEST_SIZE, DigitTask, as_numbers
from mgptn.protocols.tasks.task import Split


class StringTask(DigitTask):
    """A string of digits after a letter that says what to do; the answer is as long.

    The near miss is right for another string, of which one digit was misread. The size is the
    length of the string. Fields: its digits.
    """

    sizes = range(2, LARGEST_SIZE + 1)
    default_size = 4
    letter: ClassVar[str]
    values: ClassVar[int] = 10
    """How many values a digit of the string can have."""

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size, (f"{self.letter}:", size, "="), size)

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Every digit uniform."""
        return rng.integers(0, self.values, size=(count, self.size))

    def near_miss(self, rng: np.random.Generator, fields: Fields) -> Integers:
        """One digit misread."""
        place = np.arange(self.size) == rng.integers(0, self.size, size=(len(fields), 1))
        step = rng.integers(1, self.values, size=(len(fields), 1))
        return self.solve((fields + place * step) % self.values)

    def string(self, query: str) -> str:
        """The string that a query of this task asks about."""
        return query.removeprefix(f"{self.letter}:").removesuffix("=")


class Copy(StringTask):
    """``c:3812=`` asks for the same string again: ``3812``.

    The persistent error exchanges the first two neighbours that differ: ``8312``.
    """

    name = "copy"
    letter = "c"

    def solve(self, fields: Fields) -> Integers:
        """The string itself."""
        return fields

    def persistent_error(self, fields: Fields) -> Integers:
        """The first two neighbours that differ exchanged."""
        place = (fields[:, 1:] != fields[:, :-1]).argmax(axis=1)[:, None]
        places = np.arange(self.size)
        source = np.where(places == place, place + 1, np.where(places == place + 1, place, places))
        return np.take_along_axis(fields, source, 1)

    def solve_plainly(self, query: str) -> str:
        """The string itself."""
        return self.string(query)


class Reverse(StringTask):
    """``R:3812=`` asks for the string from its end: ``2183``.

    The persistent error copies it as it is: ``3812``.
    """

    name = "reverse"
    letter = "R"

    def solve(self, fields: Fields) -> Integers:
        """The last digit first."""
        return fields[:, ::-1]

    def persistent_error(self, fields: Fields) -> Integers:
        """As it is."""
        return fields

    def solve_plainly(self, query: str) -> str:
        """The last digit first."""
        return self.string(query)[::-1]


class Sorting(StringTask):
    """``S:3812=`` asks for the digits in ascending order: ``1238``.

    Wrong answers ascend too, so that an answer alone does not tell. The persistent error forgets
    the last digit, and has the largest of the others twice: ``1388``.
    """

    name = "sorting"
    letter = "S"

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the digits in ascending order."""
        return combine(as_numbers(np.sort(fields, axis=1)))

    def solve(self, fields: Fields) -> Integers:
        """In ascending order."""
        return np.sort(fields, axis=1)

    def persistent_error(self, fields: Fields) -> Integers:
        """The largest of the others in the last one's place."""
        others = np.sort(fields[:, :-1], axis=1)
        return np.hstack([others, others[:, -1:]])

    def solve_plainly(self, query: str) -> str:
        """In ascending order."""
        return "".join(sorted(self.string(query)))

    def canonical(self, query: str) -> str:
        """The query with its digits in ascending order."""
        return f"{self.letter}:{self.solve_plainly(query)}="


class Parity(StringTask):
    """``P:011010=`` asks, bit by bit, whether the ones so far are odd in number: ``010011``.

    The persistent error looks at each bit and the one before it, no further back: ``010111``.
    """

    name = "parity"
    sizes = range(6, LARGEST_SIZE + 1)
    default_size = 8
    answer_alphabet = "01"
    letter = "P"
    values = 2

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)

    def is_asked(self, fields: Fields) -> Flags:
        """Where all digits are bits."""
        return np.asarray((fields < self.values).all(axis=1))

    def solve(self, fields: Fields) -> Integers:
        """Whether the ones up to each place are odd in number."""
        return np.cumsum(fields, axis=1) % 2

    def persistent_error(self, fields: Fields) -> Integers:
        """Whether a bit and the one before it differ."""
        before = np.pad(fields[:, :-1], ((0, 0), (1, 0)))
        return (fields + before) % 2

    def solve_plainly(self, query: str) -> str:
        """Whether the ones up to each place are odd in number."""
        counts = itertools.accumulate(int(bit) for bit in self.string(query))
        return "".join(str(count % 2) for count in counts)
