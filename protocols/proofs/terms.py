"""Formulas of propositional calculus as terms, and modus ponens between them as general as can be.

A term is a number, which is a variable, or a tuple of a connective and its arguments. It is written
in Polish notation, so that no brackets are needed.

Source
------
Meredith & Prior 1963, "Notes on the axiomatics of the propositional calculus"; Megill 2019,
"Metamath", whose proofs of propositional calculus are written so.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import TypeAlias

Term: TypeAlias = "int | tuple[str | Term, ...]"
"""A variable, or ``("P", antecedent, consequent)``, or ``("S", what is negated)``."""

IMPLIES, NOT = "P", "S"
ARGUMENTS = {IMPLIES: 2, NOT: 1}
VARIABLES = "abcdefgh"

MOST_SYMBOLS = 120
"""Of a formula that a step may lead to; a proof that goes beyond it is none."""


def written(term: Term) -> str:
    """In Polish notation; variables from the ninth on have no letter, and are ``*``."""
    if isinstance(term, int):
        return VARIABLES[term] if term < len(VARIABLES) else "*"
    return str(term[0]) + "".join(written(argument) for argument in _arguments(term))


def read(text: str) -> Term | None:
    """The term that a text says; None where it is none, or more than one."""
    stack: list[Term] = []
    for symbol in reversed(text):
        if symbol in VARIABLES:
            stack.append(VARIABLES.index(symbol))
        elif symbol in ARGUMENTS and len(stack) >= ARGUMENTS[symbol]:
            stack.append((symbol, *(stack.pop() for _ in range(ARGUMENTS[symbol]))))
        else:
            return None
    return stack[0] if len(stack) == 1 else None


def symbols(term: Term) -> int:
    """How many symbols a term is written with."""
    return 1 if isinstance(term, int) else 1 + sum(map(symbols, _arguments(term)))


def renamed(term: Term, names: dict[int, int] | None = None, first: int = 0) -> Term:
    """The term with its variables numbered as they come; `names` has what became of each."""
    known = {} if names is None else names
    if isinstance(term, int):
        return known.setdefault(term, first + len(known))
    return (term[0], *(renamed(argument, known, first) for argument in _arguments(term)))


def substituted(term: Term, by: dict[int, Term]) -> Term:
    """The term with variables replaced, and those in what replaces them."""
    term = _found(term, by)
    if isinstance(term, int):
        return term
    return (term[0], *(substituted(argument, by) for argument in _arguments(term)))


def detached(major: Term, minor: Term) -> Term | None:
    """The most general formula that modus ponens gives of instances of two; None where it has none.

    Of A → B and C it is B under the most general unifier of A and C.
    """
    major, minor = renamed(major), renamed(minor, first=1 << 20)
    if isinstance(major, int):  # any implication is an instance of it, and so is any conclusion
        return 0
    if major[0] != IMPLIES:
        return None
    antecedent, consequent = _arguments(major)
    by: dict[int, Term] = {}
    if not _unified(antecedent, minor, by):
        return None
    if _symbols_under(consequent, by, {}) > MOST_SYMBOLS:
        return None
    return renamed(substituted(consequent, by))


def is_instance(goal: Term, of: Term) -> bool:
    """Is a term what another becomes when variables are replaced?"""
    by: dict[int, Term] = {}

    def fits(goal: Term, of: Term) -> bool:
        if isinstance(of, int):
            return by.setdefault(of, goal) == goal
        if isinstance(goal, int) or goal[0] != of[0]:
            return False
        return all(map(fits, _arguments(goal), _arguments(of)))

    return fits(goal, of)


def _unified(first: Term, second: Term, by: dict[int, Term]) -> bool:
    """Can both be made the same? Then `by` says how. A variable is never part of its own value."""
    waiting = [(first, second)]
    while waiting:
        one, other = (_found(term, by) for term in waiting.pop())
        if isinstance(one, int) or isinstance(other, int):
            if one == other:
                continue
            name, value = (one, other) if isinstance(one, int) else (other, one)
            assert isinstance(name, int)
            if _occurs(name, value, by, set()):
                return False
            by[name] = value
        elif one[0] != other[0]:
            return False
        else:
            waiting += zip(_arguments(one), _arguments(other), strict=True)
    return True


def _found(term: Term, by: dict[int, Term]) -> Term:
    while isinstance(term, int) and term in by:
        term = by[term]
    return term


def _occurs(name: int, term: Term, by: dict[int, Term], seen: set[int]) -> bool:
    """Is a variable part of a term? Each other variable is looked into once."""
    if isinstance(term, int):
        if term == name:
            return True
        if term in seen or term not in by:
            return False
        seen.add(term)
        return _occurs(name, by[term], by, seen)
    return any(_occurs(name, argument, by, seen) for argument in _arguments(term))


def _symbols_under(term: Term, by: dict[int, Term], known: dict[int, int]) -> int:
    """How long a term would be once substituted, which may be far too long to write down."""
    if isinstance(term, int):
        if term not in known:
            known[term] = _symbols_under(by[term], by, known) if term in by else 1
        return known[term]
    return 1 + sum(_symbols_under(argument, by, known) for argument in _arguments(term))


def _arguments(term: Term) -> tuple[Term, ...]:
    assert not isinstance(term, int)
    return term[1:]  # type: ignore[return-value]  # only the first is a connective
