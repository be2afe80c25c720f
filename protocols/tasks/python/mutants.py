"""Mutants of Python: one operator, number, name or branch of a program changed at a time."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from functools import lru_cache

from mgptn.protocols.tasks.python.reading import parsed

OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Mod, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
}

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}

CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
"""Functions that are called instead of each other."""


@lru_cache(maxsize=1 << 12)
def mutants_of(source: str) -> tuple[str, ...]:
    """A program's mutants as text, each once, in the order of what is changed; none of no program.

    Some may compute what the program does: that is for whoever runs them to find out.
    """
    tree = parsed(source)
    if tree is None:
        return ()
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    made = (
        ast.unparse(ast.fix_missing_locations(_Change(place, other).visit(copy.deepcopy(tree))))
        for place, node in enumerate(_in_order(tree))
        for other in _others(node, sorted(arguments))
    )
    own = ast.unparse(tree)
    return tuple(one for one in dict.fromkeys(made) if one != own)


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes as a `_Change` comes by them."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from _in_order(child)


class _Change(ast.NodeTransformer):
    """Puts another node in the place of one."""

    def __init__(self, place: int, other: ast.AST) -> None:
        self._left = place
        self._other = other

    def visit(self, node: ast.AST) -> ast.AST:
        """The node, or what stands for it."""
        self._left -= 1
        return self._other if self._left == -1 else self.generic_visit(node)


def _others(node: ast.AST, arguments: list[str]) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    if isinstance(node, ast.BinOp):
        for kind in OPERATORS.get(type(node.op), ()):
            yield ast.BinOp(node.left, kind(), node.right)
        yield from (node.left, node.right)
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                yield ast.Compare(
                    node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]], node.comparators
                )
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node)
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.If | ast.While):
        changed = copy.copy(node)
        changed.test = ast.UnaryOp(ast.Not(), node.test)
        yield changed
    elif isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        yield ast.Call(node.func, node.args[::-1], [])
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in CALLED:
            yield ast.Name(CALLED[node.id], node.ctx)
        elif node.id in arguments:
            yield from (ast.Name(one, node.ctx) for one in arguments if one != node.id)


def _other_constants(node: ast.Constant) -> Iterator[ast.Constant]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield from (ast.Constant(node.value + step) for step in (1, -1))
    elif isinstance(node.value, str):
        yield ast.Constant("" if node.value else "mutant")
