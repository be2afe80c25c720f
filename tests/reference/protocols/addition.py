"""Addition with operands as integers, not digits: the plain form, of up to six digits."""

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

NEAR_MISSES = (1, -1, 2, -2, 10, -10, 11, -11, 100, -100)


class NumberAddition(BundledTask):
    """``ab+cd=`` with zero-padded operands; the answer has one digit more, reversed.

    ``17+25=`` is answered by ``240``. The persistent error carries into the tens just where nothing
    is to be carried: ``230``. The size is the width of an operand. Fields: both operands.
    """

    name = "addition"
    sizes = range(1, 7)
    default_size = 2
    answer_alphabet = "0123456789"

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)
        self.bound = 10**size
        self.query_characters = 2 * size + 2
        self.max_answer_characters = size + 1

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Both operands uniform."""
        return rng.integers(0, self.bound, size=(count, 2))

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the unordered pair: a sum is in the same split in either order."""
        return combine(np.sort(fields, axis=1))

    def render(self, fields: Fields) -> Codes:
        """``ab+cd=``."""
        count = len(fields)
        first, second = (decimal(fields[:, i], self.size) for i in (0, 1))
        return np.hstack([first, constant("+", count), second, constant("=", count)])

    def parse(self, query: str) -> Fields | None:
        """The operands, if both are of the size's width."""
        first, _, rest = query.partition("+")
        second, equals, after = rest.partition("=")
        if not equals or after or not all(is_digits(p, self.size) for p in (first, second)):
            return None
        return np.array([[int(first), int(second)]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The one right answer."""
        return self._reversed(fields.sum(axis=1))

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Every digit of the sum as it should be."""
        same: Flags = (answers == self._reversed(fields.sum(axis=1))).all(axis=1)
        return same

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """Off by a little; another problem's sum; the first carry made just where there is none."""
        sums, span = problems.fields.sum(axis=1), 2 * self.bound
        steps = np.array([step for step in NEAR_MISSES if abs(step) < span])
        near = (sums + rng.choice(steps, size=sums.shape)) % span
        far = self.propose(rng, len(sums), "train").sum(axis=1)
        wrong = np.where(kinds == NEAR, near, far)
        carried = self._wrong_carry(problems.fields)
        return self._reversed(np.where(kinds == PERSISTENT, carried, wrong))

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the answer is exactly the reversed, zero-padded sum."""
        fields = self.parse(query)
        if fields is None:
            return False
        return answer == f"{int(fields.sum()):0{self.size + 1}d}"[::-1]

    def canonical(self, query: str) -> str:
        """The query with its operands in ascending order."""
        return "+".join(sorted(query.removesuffix("=").split("+"))) + "="

    def _reversed(self, sums: Integers) -> Codes:
        return decimal(sums, self.size + 1)[:, ::-1]

    def _wrong_carry(self, fields: Fields) -> Integers:
        """Carried into the tens just where nothing is to be carried, and not where it is."""
        carries = (fields % 10).sum(axis=1) >= 10
        total: Integers = (fields.sum(axis=1) + np.where(carries, -10, 10)) % (2 * self.bound)
        return total
