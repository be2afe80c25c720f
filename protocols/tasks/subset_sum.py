"""Subset sum: found by search over all digits at once, checked by one addition."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

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
    decimal,
    is_digits,
)
from mgptn.protocols.tasks.task import Split

LEFT_OUT = "."


class SubsetSum(BundledTask):
    """``35271:10=`` asks which digits add up to the target; ``35.2.`` leaves the others out.

    Digits are 1 to 9; the target is the sum of a random non-empty subset, so that there is always
    an answer, and often several, all of them right. The persistent error takes every digit that
    still fits, from a place that the question decides. The size is the number of digits. Fields:
    digits, target, and the subset that made it, as bits.
    """

    name = "subset-sum"
    sizes = range(3, 9)
    default_size = 5
    answer_alphabet = "123456789" + LEFT_OUT

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)
        self.query_characters = size + 4
        self.max_answer_characters = size

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Digits and a non-empty subset of them uniform."""
        digits = rng.integers(1, 10, size=(count, self.size))
        subset = rng.integers(1, 2**self.size, size=count)
        target = (digits * self._chosen(subset)).sum(axis=1)
        return np.hstack([digits, target[:, None], subset[:, None]])

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the digits in ascending order, and the target."""
        return combine(np.hstack([np.sort(self._digits(fields), axis=1), self._target(fields)]))

    def render(self, fields: Fields) -> Codes:
        """``35271:10=``."""
        count = len(fields)
        digits = (self._digits(fields) + ord("0")).astype(np.uint8)
        target = decimal(fields[:, self.size], 2)
        return np.hstack([digits, constant(":", count), target, constant("=", count)])

    def parse(self, query: str) -> Fields | None:
        """Digits, target, and the first subset that makes it."""
        digits, colon, rest = query.partition(":")
        well_formed = (
            bool(colon)
            and is_digits(digits, self.size)
            and "0" not in digits
            and rest.endswith("=")
            and is_digits(rest[:-1], 2)
        )
        if not well_formed:
            return None
        values = np.array([int(digit) for digit in digits])
        sums = (self._chosen(np.arange(1, 2**self.size)) * values).sum(axis=1)
        made = np.flatnonzero(sums == int(rest[:-1]))
        if not made.size:
            return None
        return np.array([[*values, int(rest[:-1]), made[0] + 1]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The subset that made the target."""
        return self._write(fields, self._chosen(fields[:, self.size + 1]))

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Each place its digit or left out, and the sum is the target."""
        digits = self._digits(fields)
        taken = answers == digits + ord("0")
        in_form = (taken | (answers == ord(LEFT_OUT))).all(axis=1)
        exact: Flags = in_form & ((digits * taken).sum(axis=1) == fields[:, self.size])
        return exact

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """One digit more or less; any subset; greedily."""
        fields = problems.fields
        made = fields[:, self.size + 1]
        flipped = made ^ (1 << rng.integers(0, self.size, size=len(made)))
        other = rng.integers(1, 2**self.size, size=len(made))
        chosen = self._chosen(np.where(kinds == NEAR, flipped, other))
        greedy = (kinds == PERSISTENT)[:, None]
        return self._write(fields, np.where(greedy, self._greedy(fields), chosen))

    def verify(self, query: str, answer: str) -> bool:
        """Right iff what is not left out stands in its place and adds up to the target."""
        digits, _, target = query.removesuffix("=").partition(":")
        if self.parse(query) is None or len(answer) != self.size:
            return False
        if any(a not in (d, LEFT_OUT) for a, d in zip(answer, digits, strict=True)):
            return False
        return sum(int(a) for a in answer if a != LEFT_OUT) == int(target)

    def canonical(self, query: str) -> str:
        """The query with its digits in ascending order."""
        digits, _, rest = query.partition(":")
        return "".join(sorted(digits)) + ":" + rest

    def _digits(self, fields: Fields) -> Integers:
        return fields[:, : self.size]

    def _target(self, fields: Fields) -> Integers:
        return fields[:, self.size : self.size + 1]

    def _chosen(self, subset: Integers) -> Integers:
        """Bits of subsets [N], the first digit's the lowest: 0 or 1, [N, size]."""
        return subset[:, None] >> np.arange(self.size) & 1

    def _write(self, fields: Fields, chosen: Integers) -> Codes:
        written = np.where(chosen > 0, self._digits(fields) + ord("0"), ord(LEFT_OUT))
        return written.astype(np.uint8)

    def _greedy(self, fields: Fields) -> Integers:
        """From a place that the question decides, on and round, whatever still fits."""
        rows = np.arange(len(fields))
        left = fields[:, self.size].copy()
        start = (combine(fields[:, :-1]) % np.uint64(self.size)).astype(np.int64)
        taken = np.zeros((len(fields), self.size), dtype=np.int64)
        for step in range(self.size):
            place = (start + step) % self.size
            fits = fields[rows, place] <= left
            taken[rows, place] = fits
            left -= fields[rows, place] * fits
        return taken
