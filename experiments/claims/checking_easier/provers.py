"""Search for refutations, with and without learning, and the check of one: what each assigns.

All three share one propagation and count the literals that it makes true, decisions and denials
included, so that they are compared by steps of one kind, and not by clocks or languages.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

Clause = tuple[int, ...]
"""Literals as in DIMACS: 1 says variable 1, −1 its negation."""

DECISION = -1
"""Stands where no clause is the reason of a literal."""

DECAY = 1.05
"""How much more a conflict counts than the one before it, for the choice of variables."""


def random_formula(rng: np.random.Generator, variables: int, clauses: int) -> list[Clause]:
    """Clauses of three different variables each, signs by coin."""
    drawn = []
    for _ in range(clauses):
        names = rng.permutation(variables)[:3] + 1
        drawn.append(tuple((names * rng.choice([-1, 1], size=3)).tolist()))
    return drawn


class Clauses:
    """Clauses and what is assigned, in order; `assigned` counts every literal ever made true."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        self.clauses: list[Clause] = []
        self.having: dict[int, list[int]] = {}
        self.assigned = 0
        self.trail: list[int] = []
        self.reasons: dict[int, int] = {}
        for clause in clauses:
            self.add(clause)

    def add(self, clause: Clause) -> int:
        """One more; its place."""
        self.clauses.append(clause)
        for literal in clause:
            self.having.setdefault(literal, []).append(len(self.clauses) - 1)
        return len(self.clauses) - 1

    def make_true(self, literal: int, reason: int = DECISION) -> None:
        """Assign a literal that is not known."""
        self.reasons[literal] = reason
        self.trail.append(literal)
        self.assigned += 1

    def undo(self, length: int) -> None:
        """Forget all but the first literals."""
        for literal in self.trail[length:]:
            del self.reasons[literal]
        del self.trail[length:]

    def propagate(self, first: int) -> int | None:
        """What follows from the literals from a place on: the clause that is false, if one is."""
        while first < len(self.trail):
            for place in self.having.get(-self.trail[first], ()):
                unknown = None
                for literal in self.clauses[place]:
                    if literal in self.reasons:
                        break
                    if -literal not in self.reasons:
                        if unknown is not None:
                            break
                        unknown = literal
                else:
                    if unknown is None:
                        return place
                    self.make_true(unknown, place)
            first += 1
        return None

    def propagate_units(self) -> int | None:
        """What follows from nothing."""
        for place, clause in enumerate(self.clauses):
            if len(clause) == 1 and clause[0] not in self.reasons:
                if -clause[0] in self.reasons:
                    return place
                self.make_true(clause[0], place)
        return self.propagate(0)


def search(formula: Sequence[Clause]) -> int | None:
    """Literals assigned until all is tried, without learning; None if it can be satisfied.

    Source
    ------
    Davis, Logemann & Loveland 1962, "A machine program for theorem-proving".
    """
    known = Clauses(formula)
    counted = Counter(abs(literal) for clause in formula for literal in clause)
    order = sorted(counted, key=lambda name: (-counted[name], name))

    def refuted() -> bool:
        name = next((n for n in order if n not in known.reasons and -n not in known.reasons), 0)
        if not name:
            return False
        length = len(known.trail)
        for literal in (name, -name):
            known.make_true(literal)
            false = known.propagate(length) is not None or refuted()
            known.undo(length)
            if not false:
                return False
        return True

    return known.assigned if known.propagate_units() is not None or refuted() else None


def learn_and_search(formula: Sequence[Clause]) -> tuple[int, list[Clause]] | None:
    """Literals assigned until a contradiction follows, and the clauses learned, which prove it.

    None if the formula can be satisfied.

    Source
    ------
    Marques-Silva & Sakallah 1999, "GRASP"; Moskewicz et al. 2001, "Chaff", for the choice.
    """
    known, lemmas = Clauses(formula), list[Clause]()
    activity: dict[int, float] = dict.fromkeys({abs(x) for c in formula for x in c}, 0.0)
    for clause in formula:
        for literal in clause:
            activity[abs(literal)] += 1.0
    bump, begins = 1.0, list[int]()
    false = known.propagate_units()
    while True:
        if false is None:
            free = [n for n in activity if n not in known.reasons and -n not in known.reasons]
            if not free:
                return None
            begins.append(len(known.trail))
            known.make_true(max(free, key=lambda name: (activity[name], -name)))
            false = known.propagate(begins[-1])
            continue
        if not begins:
            return known.assigned, [*lemmas, ()]
        learned, seen = _implication_point(known, false, begins[-1])
        bump *= DECAY
        for name in seen:
            activity[name] += bump
        places = {literal: place for place, literal in enumerate(known.trail)}
        lower = [places[-literal] for literal in learned if places[-literal] < begins[-1]]
        level = max((sum(b <= place for b in begins) for place in lower), default=0)
        known.undo(begins[level])
        del begins[level:]
        lemmas.append(learned)
        place, length = known.add(learned), len(known.trail)
        known.make_true(next(x for x in learned if -x not in known.reasons), place)
        false = known.propagate(length)


def check(formula: Sequence[Clause], lemmas: Sequence[Clause]) -> int:
    """Literals assigned as each lemma is denied, given all before it.

    Raises
    ------
    ValueError
        If a lemma does not follow by unit propagation, or the last one is not empty.
    """
    known = Clauses(formula)
    for lemma in lemmas:
        false = known.propagate_units()
        for literal in lemma:
            if false is None and literal in known.reasons:
                false = DECISION  # what is denied holds already
            if false is None and -literal not in known.reasons:
                known.make_true(-literal)
                false = known.propagate(len(known.trail) - 1)
        if false is None:
            raise ValueError(f"lemmas: expected {lemma} to follow from those before it, got no way")
        known.undo(0)
        known.add(lemma)
    if not lemmas or lemmas[-1]:
        raise ValueError("lemmas: expected the empty clause at the end, got none")
    return known.assigned


def _implication_point(known: Clauses, false: int, begin: int) -> tuple[Clause, set[int]]:
    """The clause of the first unique implication point of a conflict, and variables on the way."""
    newest = set(known.trail[begin:])
    clause = set(known.clauses[false])
    seen = {abs(literal) for literal in clause}
    for literal in reversed(known.trail):
        if sum(-one in newest for one in clause) == 1:
            break
        if -literal in clause:
            reason = known.clauses[known.reasons[literal]]
            clause |= set(reason)
            clause -= {literal, -literal}
            seen |= {abs(one) for one in reason}
    return tuple(sorted(clause, key=abs)), seen
