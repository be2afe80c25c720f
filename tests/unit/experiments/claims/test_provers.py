"""Searches and the check of what was learned, against a solver and against dratify."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from pysat.solvers import Glucose4

from mgptn.experiments.claims.checking_easier.provers import (
    Clause,
    check,
    learn_and_search,
    random_formula,
    search,
)
from mgptn.population.draws.streams import stream
from mgptn.protocols.proofs.checking import is_refutation

SQUARE: list[Clause] = [(1, 2), (1, -2), (-1, 2), (-1, -2)]


@pytest.mark.parametrize("variables", [3, 6, 12, 25])
def test_both_searches_say_what_a_solver_says_and_what_is_learned_is_a_proof(variables: int):
    rng = stream(0, "provers", variables)
    said = []
    for clauses in (3 * variables, round(4.3 * variables), 6 * variables):
        for _ in range(4):
            formula = random_formula(rng, variables, clauses)
            with Glucose4(bootstrap_with=formula) as solver:
                satisfiable = solver.solve()
            learned = learn_and_search(formula)
            assert (learned is None) == (search(formula) is None) == satisfiable
            said.append(satisfiable)
            if learned is not None:
                assert is_refutation(formula, learned[1])
                assert check(formula, learned[1]) > 0
    assert True in said
    assert False in said


def test_what_is_assigned_is_counted_by_hand():
    # 1 makes 2 true, which is false; then −1, likewise: two decisions and two that follow.
    assert search(SQUARE) == 4
    # 1 and 2; then ¬1 is learned, true at once, and 2 follows: the clauses that are left conflict.
    assigned, lemmas = learn_and_search(SQUARE) or (0, [])
    assert assigned == 4
    assert lemmas == [(-1,), ()]
    # ¬¬1 is denied by 1, and 2 follows; then the unit ¬1, and 2 again.
    assert check(SQUARE, lemmas) == 4


@pytest.mark.parametrize(
    ("lemmas", "message"),
    [
        ([(1,), ()], "expected \\(1,\\) to follow"),
        ([(-1, 2)], "expected the empty clause"),
        ([()], "expected \\(\\) to follow"),
        ([], "expected the empty clause"),
    ],
)
def test_what_is_no_proof_is_refused(lemmas: list[Clause], message: str):
    formula = [(-1, 2), (-2, 3), (1, 2, 3)] if lemmas[:1] == [(1,)] else SQUARE
    with pytest.raises(ValueError, match=message):
        check(formula, lemmas)
