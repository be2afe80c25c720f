"""A stack language of twenty words, a character each, and the interpreter that says what they do.

Values are the digits 0 to 9, and arithmetic goes round: 7 + 5 is 2. A stack holds four of them. A
program begins with its inputs on the stack, the last one on top, and its result is what is on top
at the end. Whatever is written ends: by itself, by taking from an empty stack, by putting on a full
one, or after `STEPS` instructions.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

VALUES = 10
"""How many values there are: 0 to 9."""

STACK = 4
"""Values that a stack holds."""

STEPS = 64
"""Instructions after which a program is endless."""

LONGEST = 64
"""Words of the longest program."""

SKIP, AGAIN, NOTHING = "?", "@", "."
"""Takes a value, and skips the next word if it is 0; begins again; does nothing, and costs nothing:
programs are filled up with it to the width that a task's answers have."""

Rule = tuple[int, Callable[..., tuple[int, ...]]]
"""How many values a word takes, and what it puts in their place, the last one on top."""

RULES: dict[str, Rule] = {
    "0": (0, lambda: (0,)),
    "1": (0, lambda: (1,)),
    "2": (0, lambda: (2,)),
    "5": (0, lambda: (5,)),
    "d": (1, lambda a: (a, a)),
    "p": (1, lambda a: ()),
    "s": (2, lambda a, b: (b, a)),
    "o": (2, lambda a, b: (a, b, a)),
    "r": (3, lambda a, b, c: (b, c, a)),
    "+": (2, lambda a, b: ((a + b) % VALUES,)),
    "-": (2, lambda a, b: ((a - b) % VALUES,)),
    "*": (2, lambda a, b: (a * b % VALUES,)),
    "v": (2, lambda a, b: (min(a, b),)),
    "^": (2, lambda a, b: (max(a, b),)),
    "e": (2, lambda a, b: (int(a == b),)),
    "g": (2, lambda a, b: (int(a > b),)),
    "n": (1, lambda a: (int(a == 0),)),
    "h": (1, lambda a: (a // 2,)),
}
"""Words that change the stack and nothing else."""

WORDS = "".join(RULES) + SKIP + AGAIN
"""Every word that does something."""

ALPHABET = WORDS + NOTHING
"""Every character that a program may have."""

_KNOWN = frozenset(ALPHABET)

End = Literal["done", "empty", "underflow", "overflow", "endless", "refused"]
"""How a program ended: with a result, or why without one."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program: its result, None where there is none, and instructions done."""

    result: int | None
    steps: int
    end: End


def is_program(text: str) -> bool:
    """Is this text a program? Words alone, and not too many of them; the empty one is one."""
    return len(text) <= LONGEST and _KNOWN.issuperset(text)


def run(program: str, inputs: Sequence[int]) -> Ran:
    """Run a program; text that is none is refused, and nothing raises.

    Parameters
    ----------
    inputs
        At most `STACK` digits, the last one on top.
    """
    if not is_program(program):
        return Ran(None, 0, "refused")
    stack, place, steps = list(inputs), 0, 0
    while place < len(program):
        word = program[place]
        place += 1
        if word == NOTHING:
            continue
        if steps == STEPS:
            return Ran(None, steps, "endless")
        steps += 1
        if word == AGAIN:
            place = 0
        elif word == SKIP:
            if not stack:
                return Ran(None, steps, "underflow")
            place += stack.pop() == 0
        else:
            takes, rule = RULES[word]
            if len(stack) < takes:
                return Ran(None, steps, "underflow")
            kept = len(stack) - takes
            stack[kept:] = rule(*stack[kept:])
            if len(stack) > STACK:
                return Ran(None, steps, "overflow")
    return Ran(stack[-1], steps, "done") if stack else Ran(None, steps, "empty")
