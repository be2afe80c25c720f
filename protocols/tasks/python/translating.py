"""Programs of the stack language as functions in Python that compute the same."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache

from mgptn.protocols.tasks.programs.language import AGAIN, NOTHING, SKIP, VALUES

ASKED = "f"
"""The name of the function that is asked for; one of any other is as good."""

INPUTS = ("a", "b")

Written = Callable[..., tuple[str, ...]]

EXPRESSIONS: dict[str, tuple[int, Written]] = {
    **{digit: (0, lambda digit=digit: (digit,)) for digit in "0125"},
    "d": (1, lambda a: (a, a)),
    "p": (1, lambda a: ()),
    "s": (2, lambda a, b: (b, a)),
    "o": (2, lambda a, b: (a, b, a)),
    "r": (3, lambda a, b, c: (b, c, a)),
    "+": (2, lambda a, b: (f"(({a} + {b}) % {VALUES})",)),
    "-": (2, lambda a, b: (f"(({a} - {b}) % {VALUES})",)),
    "*": (2, lambda a, b: (f"({a} * {b} % {VALUES})",)),
    "v": (2, lambda a, b: (f"min({a}, {b})",)),
    "^": (2, lambda a, b: (f"max({a}, {b})",)),
    "e": (2, lambda a, b: (f"int({a} == {b})",)),
    "g": (2, lambda a, b: (f"int({a} > {b})",)),
    "n": (1, lambda a: (f"int({a} == 0)",)),
    "h": (1, lambda a: (f"({a} // 2)",)),
}
"""Words that change the stack: how many values each takes, and the expressions in their place."""


@lru_cache(maxsize=1 << 12)
def translated(program: str) -> str:
    """A program that has a result for every pair of digits, as a function of them.

    Raises
    ------
    ValueError
        If it begins again, which no shortest program of few words has to, or has no result.
    """
    value = _value(program.replace(NOTHING, ""), INPUTS)
    if value is None:
        raise ValueError(f"program: expected one that comes to an end, got {program!r}")
    # Read and written again, an expression has the brackets alone that it needs.
    return function_of(ast.unparse(ast.parse(value, mode="eval")))


def function_of(expression: str) -> str:
    """The function that gives an expression in its arguments back."""
    return f"def {ASKED}({', '.join(INPUTS)}):\n    return {expression}"


def _value(words: str, stack: tuple[str, ...]) -> str | None:
    """The expression that is on top at the end; None where there is none, or no end."""
    for place, word in enumerate(words):
        if word == AGAIN:
            return None
        if word == SKIP:
            return _either(words[place + 1 :], stack)
        takes, write = EXPRESSIONS[word]
        if len(stack) < takes:
            return None
        kept = len(stack) - takes
        stack = (*stack[:kept], *write(*stack[kept:]))
    return stack[-1] if stack else None


def _either(words: str, stack: tuple[str, ...]) -> str | None:
    """With the next word, or without it where the value on top is 0; what has no result is left
    out: a program that always has one does not come there."""
    if not stack:
        return None
    *rest, condition = stack
    done, skipped = (_value(words[cut:], tuple(rest)) for cut in (0, 1))
    if done is None or skipped is None:
        return skipped if done is None else done
    return done if done == skipped else f"({done} if {condition} else {skipped})"
