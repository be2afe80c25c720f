"""A task whose answers are programs: an expression in Python with a given value. For tests."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.protocols.tasks.task import Problem, Split
from mgptn.protocols.tasks.trials import Program, Ran

ATTACKS = (
    "__import__('os').system('touch caught_nobody')",
    "[0] * 10**11",
    "sum(iter(lambda: 1, 0))",
    "open('/etc/passwd').read()",
    "print('passed')",
    "type('T', (), {'__eq__': lambda a, b: True, '__repr__': lambda a: '42'})()",
)
"""What some wrong answers are: none has the value that is asked for, whatever it does."""

MAYBE = "0 if 1 else 2"
"""Of this answer the judge says that it does not know."""


class Expressions:
    """``17+25=`` asks for an expression of that value; written as digits it is one."""

    name, sizes, default_size = "expressions", (1, 2), 1
    libraries = ("numpy",)

    def __init__(self, size: int = 1, *, attacks: bool = False, most: int = 9) -> None:
        self.size, self.attacks, self.most = size, attacks, most
        self.max_answer_characters = 100

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """A sum of two numbers of `size` digits, none above `most`."""
        while True:
            low, high = 10 ** (self.size - 1), min(10**self.size, 10 * self.most)
            one, other = (int(n) for n in rng.integers(low, high, size=2))
            if (one * other) % 5 == (0 if split == "held-out" else 1):
                return Problem(f"{one}+{other}=", str(one + other))

    def verify(self, query: str, answer: str) -> bool | None:
        """Nothing is known until it has been run."""
        return None

    def reference(self, query: str) -> str:
        """The sum."""
        one, other = query.rstrip("=").split("+")
        return str(int(one) + int(other))

    def canonical(self, query: str) -> str:
        """Each is a problem of its own."""
        return query

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """One too many; or an attack, or an answer that nobody can judge, where they are wanted."""
        wrong = [f"{problem.reference}+{i}" for i in range(1, 4)]
        return str(rng.choice([*wrong, *ATTACKS, MAYBE] if self.attacks else wrong))

    def programs(self, query: str, answer: str) -> Sequence[Program]:
        """The answer as a case."""
        return [Program("", (answer,))]

    def judge(self, query: str, answer: str, ran: Sequence[Ran]) -> bool | None:
        """Its value is compared here."""
        if answer == MAYBE:
            return None
        (one,) = ran
        return one.status == "ended" and one.values == (self.reference(query),)
