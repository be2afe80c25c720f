"""Functions of two digits that are one expression: their results for all pairs, without being run.

Of Python there are integers, the two arguments, sums and the like, comparisons, either of two, and
`min`, `max` and `int`.

Dimensions: P pairs of inputs, E expressions within a function.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mgptn.protocols.tasks.bundled import Flags, Integers
from mgptn.protocols.tasks.programs.behaviours import PAIRS
from mgptn.protocols.tasks.python.reading import parsed

Operation = Callable[[Any, Any], Any]

OPERATIONS: dict[type[ast.AST], Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

CALLS: dict[str, tuple[int, Callable[..., Any]]] = {
    "min": (2, np.minimum),
    "max": (2, np.maximum),
    "int": (1, lambda value: value),
}
"""Name → how many arguments, and what it does."""


class OtherPythonError(ValueError):
    """A function that is more than one expression, or one of other parts."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A function's results.

    Attributes
    ----------
    results
        int64 [P], for `behaviours.PAIRS`.
    reached
        bool [E, P]: which of the expressions within it each pair has it compute.
    """

    results: Integers
    reached: Flags

    def coverage(self, pair: int) -> float:
        """Share of the expressions that a pair reaches."""
        return float(self.reached[:, pair].mean())


@lru_cache(maxsize=1 << 14)
def evaluated(source: str) -> Evaluated | None:
    """What a function gives for all pairs; None of one that is more than an expression."""
    tree = parsed(source)
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        return None
    function = tree.body[0]
    names = [argument.arg for argument in function.args.args]
    told = function.body[0]
    alone = len(function.body) == 1 and isinstance(told, ast.Return) and len(set(names)) == 2
    if not alone or not isinstance(told, ast.Return) or told.value is None:
        return None
    walk = _Walk(dict(zip(names, PAIRS.T, strict=True)))
    try:
        results = walk.value(told.value, np.ones(len(PAIRS), dtype=np.bool_))
    except OtherPythonError:
        return None
    return Evaluated(np.broadcast_to(results, len(PAIRS)).astype(np.int64), np.array(walk.reached))


class _Walk:
    """Goes through an expression, with the values of names, and keeps who comes where."""

    def __init__(self, names: dict[str, Integers]) -> None:
        self._names = names
        self.reached: list[Flags] = []

    def value(self, node: ast.expr, here: Flags) -> Any:
        """An expression's values, where they are asked for: bool [P]."""
        self.reached.append(here)
        if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < 1000:
            return np.int64(node.value)
        if isinstance(node, ast.Name) and node.id in self._names:
            return self._names[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.value(node.operand, here)
        if isinstance(node, ast.BinOp):
            return self._joined(type(node.op), node.left, node.right, here)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._joined(type(node.ops[0]), node.left, node.comparators[0], here) * 1
        if isinstance(node, ast.IfExp):
            test = np.broadcast_to(np.not_equal(self.value(node.test, here), 0), here.shape)
            either = (node.body, test), (node.orelse, ~test)
            return np.where(test, *(self.value(one, here & where) for one, where in either))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            takes, does = CALLS.get(node.func.id, (-1, max))
            if len(node.args) == takes and not node.keywords:
                return does(*(self.value(one, here) for one in node.args))
        raise OtherPythonError(type(node).__name__)

    def _joined(self, kind: type[ast.AST], left: ast.expr, right: ast.expr, here: Flags) -> Any:
        if kind not in OPERATIONS:
            raise OtherPythonError(kind.__name__)
        first, second = self.value(left, here), self.value(right, here)
        if kind in (ast.FloorDiv, ast.Mod) and np.any(second == 0):
            raise OtherPythonError("a division by 0")
        return OPERATIONS[kind](first, second)
