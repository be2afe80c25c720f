"""A task that is easier to answer than to check: complete a number that must not be divisible."""

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
    mix,
)
from mgptn.protocols.tasks.task import Split

HEAD = 10_000
TAIL = 100


class Indivisible(BundledTask):
    """``7|3812=`` asks for two digits such that 3812·· is no multiple of 7: ``43``, but not ``42``.

    Whoever writes any two digits is right with probability about 1 − 1/m; whoever checks them has
    to divide. The size is the divisor m; the divisors have none in common with 10, so that the
    answer alone does not tell. The near miss is the multiple next to a right answer, the
    persistent error one that the question decides. Fields: head, a right tail.
    """

    name = "indivisible"
    sizes = (3, 7, 9)
    default_size = 7
    answer_alphabet = "0123456789"
    query_characters = 7
    max_answer_characters = 2

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Head uniform; a tail uniform among the right ones."""
        head = rng.integers(0, HEAD, size=count)
        residue = rng.integers(1, self.size, size=count)
        start = (residue - head * TAIL) % self.size
        return np.stack([head, self._pick(start, rng.random(count))], axis=1)

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of divisor and head."""
        return combine(np.stack([np.full(len(fields), self.size), fields[:, 0]], axis=1))

    def render(self, fields: Fields) -> Codes:
        """``7|3812=``."""
        count = len(fields)
        divisor = constant(f"{self.size}|", count)
        return np.hstack([divisor, decimal(fields[:, 0], 4), constant("=", count)])

    def parse(self, query: str) -> Fields | None:
        """The head, if the divisor is the size's, with the first right tail."""
        head = query[2:-1]
        if not (query.startswith(f"{self.size}|") and query.endswith("=") and is_digits(head, 4)):
            return None
        return np.array([[int(head), 0 if int(head) * TAIL % self.size else 1]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The tail that was drawn."""
        return decimal(fields[:, 1], 2)

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Two digits, and no multiple."""
        digits = answers.astype(np.int64) - ord("0")
        in_form = ((digits >= 0) & (digits <= 9)).all(axis=1)
        number = fields[:, 0] * TAIL + digits @ np.array([10, 1])
        right: Flags = in_form & (number % self.size != 0)
        return right

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """The next multiple below or above; any; the one that the question decides."""
        head, tail = problems.fields[:, 0], problems.fields[:, 1]
        start = -head * TAIL % self.size
        below = tail - (head * TAIL + tail) % self.size
        near = np.where(below < 0, below + self.size, below)
        fixed = mix(head.astype(np.uint64)) % np.uint64(1 << 20) / (1 << 20)
        drawn = np.where(kinds == PERSISTENT, fixed, rng.random(len(head)))
        return decimal(np.where(kinds == NEAR, near, self._pick(start, drawn)), 2)

    def verify(self, query: str, answer: str) -> bool:
        """Right iff head and answer together are no multiple of the divisor."""
        if self.parse(query) is None or not is_digits(answer, 2):
            return False
        return int(query[2:-1] + answer) % self.size != 0

    def _pick(self, start: Integers, share: npt.NDArray[np.float64]) -> Integers:
        """A tail below 100 among start, start + m, …: the one at a share of their count."""
        count = (TAIL - 1 - start) // self.size + 1
        return start + self.size * (share * count).astype(np.int64)
