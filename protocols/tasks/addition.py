"""Addition of two fixed-width numbers, the sum written least significant digit first."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from protocols.tasks.task import Problem, Split, check_size

HELD_OUT_SHARE = 0.2
NEAR_MISSES = (1, -1, 2, -2, 10, -10, 11, -11, 100, -100)

Integers = npt.NDArray[np.int64]


class Addition:
    """``ab+cd=`` with zero-padded operands; the answer has one digit more, reversed.

    ``17+25=`` is answered by ``240``. Pairs are split into training and held-out problems by a
    hash of the unordered pair, so that a sum seen in training is never drawn in a run, in either
    order.

    Parameters
    ----------
    size
        Width of an operand, 1 to 6 digits.

    Raises
    ------
    ValueError
        If `size` is none of `sizes`.
    """

    name = "addition"
    sizes = range(1, 7)
    default_size = 2

    def __init__(self, size: int = default_size) -> None:
        check_size(size, self.sizes)
        self.size = size
        self.bound = 10**size
        self.max_answer_characters = size + 1

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """One problem of the given split."""
        a, b = self.draw_pairs(rng, 1, split)[0]
        return Problem(self.query(int(a), int(b)), self.render_answer(int(a + b)))

    def draw_pairs(self, rng: np.random.Generator, count: int, split: Split) -> Integers:
        """Operands of `count` problems, int64 [count, 2], by rejection on the split's hash."""
        kept: list[Integers] = []
        found = 0
        while found < count:
            pairs = rng.integers(0, self.bound, size=(max(16, 2 * count), 2))
            pairs = pairs[self.held_out(pairs) == (split == "held-out")]
            kept.append(pairs)
            found += len(pairs)
        return np.concatenate(kept)[:count]

    def held_out(self, pairs: Integers) -> npt.NDArray[np.bool_]:
        """Which pairs, int64 [N, 2], belong to the held-out split; symmetric in the operands."""
        low = np.min(pairs, axis=1).astype(np.uint64)
        high = np.max(pairs, axis=1).astype(np.uint64)
        mixed = _mix(low * np.uint64(1_000_003) + high)
        share: npt.NDArray[np.bool_] = mixed % np.uint64(1000) < np.uint64(1000 * HELD_OUT_SHARE)
        return share

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the answer is exactly the reversed, zero-padded sum."""
        operands = query.removesuffix("=").split("+")
        if len(operands) != 2 or not all(
            len(part) == self.size and part.isdecimal() for part in operands
        ):
            return False
        return answer == self.render_answer(int(operands[0]) + int(operands[1]))

    def reference(self, query: str) -> str:
        """The sum of the query's operands, as an answer is written."""
        return self.render_answer(sum(int(part) for part in query.removesuffix("=").split("+")))

    def canonical(self, query: str) -> str:
        """The query with its operands in ascending order."""
        return "+".join(sorted(query.removesuffix("=").split("+"))) + "="

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """A wrong sum in the right form: half near misses, half random."""
        right = np.array([int(problem.reference[::-1])])
        return self.render_answer(int(self.corrupt_sums(right, rng)[0]))

    def corrupt_sums(self, sums: Integers, rng: np.random.Generator) -> Integers:
        """Wrong sums for right ones, int64 [N]: half near misses, half random, never the right."""
        span = 2 * self.bound
        steps = np.array([step for step in NEAR_MISSES if abs(step) < span])
        near = (sums + rng.choice(steps, size=sums.shape)) % span
        random = (sums + rng.integers(1, span, size=sums.shape)) % span
        wrong: Integers = np.where(rng.random(sums.shape) < 0.5, near, random)
        return wrong

    def query(self, a: int, b: int) -> str:
        """Canonical text of one problem."""
        return f"{a:0{self.size}d}+{b:0{self.size}d}="

    def render_answer(self, total: int) -> str:
        """The sum's digits, least significant first."""
        return f"{total:0{self.size + 1}d}"[::-1]


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele, Lea & Flood 2014), uint64 [N] → uint64 [N]."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
