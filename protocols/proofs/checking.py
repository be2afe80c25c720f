"""Proofs of unsatisfiability as dratify checks them: the verdict is a kept library's, not ours."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

Clause = Sequence[int]
"""Literals as in DIMACS: 1 says variable 1, −1 its negation."""


def is_refutation(formula: Sequence[Clause], lemmas: Sequence[Clause]) -> bool:
    """Does each lemma follow by unit propagation from what is before it, down to the empty one?

    Raises
    ------
    ImportError
        Without dratify.
    """
    from dratify import CNF, check_proof, from_dimacs

    known = CNF()
    for clause in formula:
        known.add_dimacs(clause)
    steps = [("a", tuple(map(from_dimacs, lemma))) for lemma in lemmas]
    # The engine is named, so that no other installed package decides who checks.
    said = check_proof(known, steps, check_rat=False, engine="python")
    return bool(said.ok and said.reached_empty)
