"""What of an answer is the program: models write prose around it, examples after it, and fences.

Whatever is read here is text that nobody vouches for: it is parsed, within bounds, and never run.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mgptn.protocols.answers.thoughts import without_thoughts
from mgptn.protocols.tasks.python.translating import ASKED

LONGEST, LINES, DEEPEST = 20_000, 400, 60
"""Characters and lines of the longest answer that is read, and brackets within each other: Python's
own parser may come down on more."""

_FENCED = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*\n(.*?)(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL)
_BEGINS = re.compile(r"[ \t]*(?:def|from|import|class|@|lambda\b|\w+\s*(?::\s*\w+\s*)?=)")
_LAMBDA = re.compile(r"\blambda\b[^\n]*")
_OPERATORS = re.compile(r"(?:[-+~]\s*|\bnot\s+){30}")


@dataclass(frozen=True, slots=True)
class ReadProgram:
    """What was read of an answer.

    Attributes
    ----------
    source
        Imports, definitions, and what is assigned before the function: examples of its use, and
        whatever else an answer would do, are left out.
    name
        Of the function.
    """

    source: str
    name: str


@lru_cache(maxsize=1 << 12)
def read_program(answer: str) -> ReadProgram | None:
    """The last function of two arguments with the name that was asked for, or else with any name.

    It is looked for in fenced blocks of code, or else in all that reads as Python; a lambda without
    a name is one too. None where there is no such function. Any text may come.
    """
    text = without_thoughts(answer)
    if len(text) > LONGEST or text.count("\n") > LINES:
        return None
    blocks = [found[2] for found in _FENCED.finditer(text)] or [text]
    statements = [one for block in blocks for one in _statements(block)]
    chosen = _chosen(statements) or _chosen(statements := list(_bare_lambdas(text)))
    if chosen is None:
        return None
    place, name = chosen
    kept: list[ast.stmt] = [
        one
        for i, one in enumerate(statements)
        if isinstance(one, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)
        or (i <= place and isinstance(one, ast.Assign | ast.AnnAssign))
    ]
    try:
        source = ast.unparse(ast.Module(kept, []))
    except (RecursionError, ValueError):
        return None
    return ReadProgram(source, name)


def parsed(text: str) -> ast.Module | None:
    """Some Python, if this is any and nobody could fear for the parser; nothing is raised."""
    if len(text) > LONGEST or _depth(text) > DEEPEST or _OPERATORS.search(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that are none
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _statements(text: str) -> Iterator[ast.stmt]:
    """Statements of a text that is Python, or of all parts of it that are."""
    whole = parsed(textwrap.dedent(text))
    if whole is not None:
        yield from _named(whole.body)
        return
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        tree, after = _longest(lines, place) if _BEGINS.match(lines[place]) else (None, place + 1)
        yield from _named(tree.body) if tree is not None else ()
        place = after


def _longest(lines: Sequence[str], first: int) -> tuple[ast.Module | None, int]:
    """The most lines from one on that are Python together, and the line after them."""
    indent = len(lines[first]) - len(lines[first].lstrip())
    last = first + 1
    while last < len(lines) and (
        not lines[last].strip() or len(lines[last]) - len(lines[last].lstrip()) > indent
    ):
        last += 1
    for after in (last, first + 1):
        tree = parsed(textwrap.dedent("\n".join(lines[first:after])))
        if tree is not None:
            return tree, after
    return None, first + 1


def _bare_lambdas(text: str) -> Iterator[ast.stmt]:
    """Lambdas within a line of prose, as assignments: up to a backtick, or the line's end."""
    for found in _LAMBDA.finditer(text):
        for part in (found[0].partition("`")[0], found[0].rstrip(" .`*")):
            tree = parsed(part)
            if tree is not None:
                yield from _named(tree.body)
                break


def _named(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements, a lambda that stands alone given the name that was asked for."""
    for one in statements:
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Lambda):
            target = ast.Name(ASKED, ast.Store())
            yield ast.Assign([target], one.value, lineno=0)
        else:
            yield one


def _chosen(statements: Sequence[ast.stmt]) -> tuple[int, str] | None:
    """The place and the name of the function among statements."""
    found = [(i, name) for i, one in enumerate(statements) if (name := _name_of(one)) is not None]
    asked = [(i, name) for i, name in found if name == ASKED]
    return next(reversed(asked or found), None)


def _name_of(statement: ast.stmt) -> str | None:
    """The name of a function that can be given two arguments; None of anything else."""
    if isinstance(statement, ast.FunctionDef):
        return statement.name if _takes_two(statement.args) else None
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
        target = statement.targets[0]
        if isinstance(target, ast.Name) and _takes_two(statement.value.args):
            return target.id
    return None


def _takes_two(arguments: ast.arguments) -> bool:
    places = len(arguments.posonlyargs) + len(arguments.args)
    needed = places - len(arguments.defaults)
    further = any(default is None for default in arguments.kw_defaults)
    return needed <= 2 and (places >= 2 or arguments.vararg is not None) and not further


def _depth(text: str) -> int:
    """Of brackets within each other, at most; indentation counts by the character."""
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest
