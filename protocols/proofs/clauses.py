"""Clauses as arrays: how they are written, which assignments satisfy them, what follows from units.

Dimensions: N formulas, C clauses of one, V variables. A clause has three places, each a literal: 1
to V says a variable, −1 to −V its negation, and 0 that the place is empty. A clause of empty places
alone is false.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import Codes, Flags, Integers

WIDTH = 3
"""Places of a clause."""

MOST_VARIABLES = 6
"""So many have 2^6 assignments, a bit each of one number."""

NOTHING = (1, -1, 0)
"""A clause that says nothing: it stands where there is none."""

PLAIN, NEGATED, EMPTY = "12345678", "abcdefgh", "."
"""How a literal is written: a variable by its digit, its negation by the letter of that place."""

Assigned = npt.NDArray[np.int8]
"""What variables are, int8 [N, V + 1]: 1 true, −1 false, 0 not known; the first is unused."""


def written_literals(literals: Integers) -> Codes:
    """Literals of any shape as characters, uint8 of the same shape."""
    return _CHARACTERS[literals + len(PLAIN)]


def read_literals(characters: Codes) -> Integers:
    """Characters of any shape as literals; what is none is `UNREADABLE`."""
    literals: Integers = _LITERALS[characters]
    return literals


def in_form(clauses: Integers, variables: int) -> Flags:
    """Which clauses [..., 3] have known literals, no variable twice, and gaps only at their end."""
    names = np.abs(clauses)
    known = (names <= variables).all(axis=-1)
    apart = np.ones(names.shape[:-1], dtype=np.bool_)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        apart &= (names[..., first] != names[..., second]) | (names[..., first] == 0)
    gaps = clauses == 0
    tight: Flags = known & apart & (gaps[..., 1:] >= gaps[..., :-1]).all(axis=-1)
    return tight


def models_of(clauses: Integers) -> npt.NDArray[np.uint64]:
    """The assignments that satisfy formulas [N, C, 3], a bit each, uint64 [N].

    Bit b is for the assignment in which variable v is true where bit v − 1 of b is 0.
    """
    each = _MODELS[clauses + MOST_VARIABLES]
    models: npt.NDArray[np.uint64] = np.bitwise_and.reduce(
        np.bitwise_or.reduce(each, axis=2), axis=1
    )
    return models


def first_model(models: npt.NDArray[np.uint64], variables: int) -> Integers:
    """Of the assignments that there are, the one of the lowest bit, as literals int64 [N, V]."""
    bits = models[:, None] >> np.arange(2**variables, dtype=np.uint64) & np.uint64(1)
    return assignment(bits.argmax(axis=1), variables)


def assignment(numbers: Integers, variables: int) -> Integers:
    """The assignments of some bits [N], as literals int64 [N, V]."""
    names = np.arange(1, variables + 1)
    return np.where(numbers[:, None] >> (names - 1) & 1, -names, names)


def satisfied(clauses: Integers, literals: Integers) -> Flags:
    """Which formulas [N, C, 3] hold where literals [N, V] are true, bool [N]."""
    known = np.zeros((len(literals), literals.shape[1] + 1), dtype=np.int8)
    np.put_along_axis(known, np.abs(literals), np.sign(literals).astype(np.int8), axis=1)
    holds: Flags = (_values(clauses, known) == 1).any(axis=2).all(axis=1)
    return holds


def propagate(clauses: Integers, assigned: Assigned) -> tuple[Assigned, Flags]:
    """Unit propagation: what follows, int8 [N, V + 1], and where a clause has become false."""
    assigned = assigned.copy()
    false = np.zeros(len(clauses), dtype=np.bool_)
    going = np.arange(len(clauses))
    while going.size:
        some = clauses[going]
        values = _values(some, assigned[going])
        values[some == 0] = -1
        open_ones = (values != 1).all(axis=2)
        unknown = (values == 0).sum(axis=2)
        false[going] |= (open_ones & (unknown == 0)).any(axis=1)
        row, clause = np.nonzero(open_ones & (unknown == 1))
        literal = some[row, clause, (values[row, clause] == 0).argmax(axis=1)]
        assigned[going[row], np.abs(literal)] = np.sign(literal)
        # Where two units contradict each other, one of their clauses is false in the next turn.
        going = going[np.unique(row)]
        going = going[~false[going]]
    return assigned, false


def _values(clauses: Integers, assigned: Assigned) -> Assigned:
    rows = np.arange(len(clauses))[:, None, None]
    values: Assigned = assigned[rows, np.abs(clauses)] * np.sign(clauses).astype(np.int8)
    return values


UNREADABLE = 99
"""What a character is read as that stands for no literal."""

_CHARACTERS = np.frombuffer((NEGATED[::-1] + EMPTY + PLAIN).encode(), dtype=np.uint8)
_LITERALS = np.full(256, UNREADABLE)
_LITERALS[_CHARACTERS] = np.arange(-len(NEGATED), len(PLAIN) + 1)


def _models_of_literals() -> npt.NDArray[np.uint64]:
    """Literal, from −6 to 6, → the assignments in which it is true; of 0 none."""
    rows = []
    for literal in range(-MOST_VARIABLES, MOST_VARIABLES + 1):
        place = abs(literal) - 1
        true = (
            b for b in range(2**MOST_VARIABLES) if literal and (b >> place & 1) == (literal < 0)
        )
        rows.append(sum(1 << b for b in true))
    return np.array(rows, dtype=np.uint64)


_MODELS = _models_of_literals()
