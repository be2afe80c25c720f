"""Theorems of propositional calculus to be proved from three axioms by condensed detachment."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from mgptn.protocols.proofs.terms import (
    IMPLIES,
    NOT,
    VARIABLES,
    Term,
    detached,
    is_instance,
    read,
    renamed,
    substituted,
    symbols,
    written,
)
from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    BundledTask,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    codes,
    combine,
    constant,
    text,
)
from mgptn.protocols.tasks.task import Split

AXIOMS = {"1": "PaPba", "2": "PPaPbcPPabPac", "3": "PPSaSbPba"}
"""Łukasiewicz's: a → (b → a); (a → (b → c)) → ((a → b) → (a → c)); (¬a → ¬b) → (b → a)."""

RULE, FILL = "R", "."
SYMBOLS = 21
"""Of the longest theorem that is asked for."""


class Detachment(BundledTask):
    """``PSaSa.…=`` asks for a proof of ¬a → ¬a: ``RR211``.

    ``P`` stands before what implies and what is implied, ``S`` before what is negated. A proof is
    an axiom, or ``R`` with the proof of an implication and that of its antecedent, of which the
    most general instances are taken. It is right if the theorem asked for is an instance of what it
    proves. The size is how many axioms a proof needs at most, at least two of them; theorems are
    instances of all that are proved so. The persistent error is the same proof for all theorems
    whose first symbols are alike. Fields: the codes of theorem and proof.
    """

    name = "detachment"
    sizes = range(3, 8)
    default_size = 5
    query_characters = SYMBOLS + 1
    answer_alphabet = RULE + "".join(AXIOMS) + FILL

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)
        self.max_answer_characters = 2 * size - 1

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """A theorem uniform among those proved with so many axioms; an instance of it at random."""
        known = theorems(self.size)
        rows: list[list[int]] = []
        while len(rows) < count:
            theorem, proof = known[int(rng.integers(len(known)))]
            names: dict[int, int] = {}
            apart = renamed(theorem, names, first=len(VARIABLES))
            by = {name: _piece(rng) for name in names.values()}
            goal = renamed(substituted(apart, by))
            if symbols(goal) <= SYMBOLS and "*" not in written(goal):
                rows.append(self._row(written(goal), proof))
        return np.array(rows, dtype=np.int64)

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the theorem."""
        return combine(fields[:, :SYMBOLS])

    def render(self, fields: Fields) -> Codes:
        """``PaPSba.…=``."""
        asked = fields[:, :SYMBOLS].astype(np.uint8)
        return np.hstack([asked, constant("=", len(fields))])

    def parse(self, query: str) -> Fields | None:
        """The theorem, if its variables are named as they come, with the first proof that fits."""
        goal = self._goal(query)
        if goal is None:
            return None
        for theorem, proof in theorems(self.size):
            if is_instance(goal, theorem):
                return np.array([self._row(written(goal), proof)])
        return None

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The proof that the theorem was made of."""
        return fields[:, SYMBOLS:].astype(np.uint8)

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """One after another, each proof and each pair of it with a theorem worked out once."""
        goals = map(text, np.ascontiguousarray(fields[:, :SYMBOLS].astype(np.uint8)))
        said = zip(goals, map(text, answers), strict=True)
        return np.array([_proves(proof, goal.rstrip(FILL)) for goal, proof in said], dtype=np.bool_)

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """An axiom exchanged for another; another theorem's proof; one by the first symbols."""
        known = theorems(self.size)
        wrong = np.empty_like(problems.references)
        first = combine(problems.fields[:, :6]) % np.uint64(len(known))
        for row, kind in enumerate(kinds.tolist()):
            if kind == NEAR:
                proof = text(problems.references[row])
                places = [i for i, symbol in enumerate(proof) if symbol in AXIOMS]
                place = places[int(rng.integers(len(places)))]
                other = rng.choice([axiom for axiom in AXIOMS if axiom != proof[place]])
                wrong[row] = codes(proof[:place] + str(other) + proof[place + 1 :])
            else:
                which = first[row] if kind == PERSISTENT else rng.integers(len(known))
                wrong[row] = codes(known[int(which)][1].ljust(wrong.shape[1], FILL))
        return wrong

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the proof is one, and the theorem an instance of what it proves."""
        goal = self._goal(query)
        fits = len(answer) <= self.max_answer_characters
        return goal is not None and fits and _proves(answer, written(goal))

    def _goal(self, query: str) -> Term | None:
        if len(query) != self.query_characters or query[-1] != "=":
            return None
        goal = read(query[:-1].rstrip(FILL))
        return goal if goal is not None and renamed(goal) == goal else None

    def _row(self, goal: str, proof: str) -> list[int]:
        line = goal.ljust(SYMBOLS, FILL) + proof.ljust(self.max_answer_characters, FILL)
        return [ord(symbol) for symbol in line]


def proved(proof: str) -> Term | None:
    """The most general theorem that a proof proves; None where it is no proof."""
    stack: list[Term] = []
    for symbol in reversed(proof):
        if symbol in AXIOMS:
            axiom = read(AXIOMS[symbol])
            assert axiom is not None
            stack.append(axiom)
        elif symbol == RULE and len(stack) >= 2:
            result = detached(stack.pop(), stack.pop())
            if result is None:
                return None
            stack.append(result)
        else:
            return None
    return stack[0] if len(stack) == 1 else None


@cache
def theorems(most: int) -> tuple[tuple[Term, str], ...]:
    """Every theorem of two axioms or more, up to so many, with its first shortest proof.

    Those are left out that have more than `SYMBOLS`, or are instances of a theorem before.
    """
    by_axioms: list[list[tuple[Term, str]]] = [[]]
    by_axioms.append([(term, name) for name in AXIOMS if (term := proved(name)) is not None])
    found = {term for term, _ in by_axioms[1]}
    for count in range(2, most + 1):
        new: list[tuple[Term, str]] = []
        for left in range(1, count):
            for major, first in by_axioms[left]:
                for minor, second in by_axioms[count - left]:
                    result = detached(major, minor)
                    if result is None or result in found or symbols(result) > SYMBOLS:
                        continue
                    found.add(result)
                    new.append((result, RULE + first + second))
        by_axioms.append(new)
    general = [one for some in by_axioms for one in some]
    kept = [
        one
        for place, one in enumerate(general)
        if not any(is_instance(one[0], before[0]) for before in general[:place])
    ]
    return tuple(one for one in kept if len(one[1]) > 1)


@lru_cache(maxsize=1 << 15)
def _theorem(proof: str) -> Term | None:
    return proved(proof)


@lru_cache(maxsize=1 << 15)
def _proves(proof: str, goal: str) -> bool:
    theorem, asked = _theorem(proof.rstrip(FILL)), read(goal)
    return theorem is not None and asked is not None and is_instance(asked, theorem)


def _piece(rng: np.random.Generator) -> Term:
    """What a variable is replaced by: a variable, its negation, or an implication of two."""
    kind, first, second = rng.random(), *map(int, rng.integers(0, len(VARIABLES), size=2))
    if kind < 0.7:
        return first
    return (NOT, first) if kind < 0.85 else (IMPLIES, first, second)
