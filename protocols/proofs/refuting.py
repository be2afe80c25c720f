"""Proofs by unit propagation: many checked at once, and one found by trying all of a form.

Dimensions: N formulas, C clauses of one, V variables, L lemmas.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools

import numpy as np

from mgptn.protocols.proofs.clauses import NOTHING, WIDTH, propagate
from mgptn.protocols.tasks.bundled import Flags, Integers

LEMMAS = 3
"""Clauses of a refutation that is found, before the empty one."""


def refutation(splits: Integers) -> Integers:
    """The lemmas that refute what splits by three literals: a ∨ b, a, ¬a ∨ c, and the empty one.

    Parameters
    ----------
    splits
        int64 [N, 3]: a, b and c.

    Returns
    -------
    int64 [N, 4, 3].
    """
    a, b, c = splits.T
    lemmas = np.zeros((len(splits), LEMMAS + 1, WIDTH), dtype=np.int64)
    lemmas[:, 0, 0], lemmas[:, 0, 1] = a, b
    lemmas[:, 1, 0] = a
    lemmas[:, 2, 0], lemmas[:, 2, 1] = -a, c
    turned = np.abs(lemmas[..., 0]) > np.abs(lemmas[..., 1])
    turned &= lemmas[..., 1] != 0
    lemmas[turned, :2] = lemmas[turned, 1::-1]
    return lemmas


def refute(formula: Integers, variables: int) -> Integers | None:
    """The first refutation of that form of a formula [C, 3], int64 [4, 3]; None where none is."""
    names = range(1, variables + 1)
    literals = [sign * name for name in names for sign in (1, -1)]
    pairs = [(a, b) for a, b in itertools.product(literals, repeat=2) if abs(a) != abs(b)]
    begun = refutation(np.array([(a, b, b) for a, b in pairs]))[:, :2]
    begins = follows(np.repeat(formula[None], len(pairs), axis=0), begun, variables)
    splits = [(a, b, c) for (a, b), may in zip(pairs, begins, strict=True) if may
              for c in literals if abs(a) != abs(c)]  # fmt: skip
    if not splits:
        return None
    lemmas = refutation(np.array(splits))
    right = follows(np.repeat(formula[None], len(lemmas), axis=0), lemmas, variables)
    found: Integers = lemmas[right.argmax()]
    return found if right.any() else None


def follows(clauses: Integers, lemmas: Integers, variables: int) -> Flags:
    """Is every lemma [N, L, 3] refuted when it is denied, given all before it, bool [N]?

    Lemmas are in form; `NOTHING` stands where there is none.
    """
    right = np.ones(len(clauses), dtype=np.bool_)
    known = clauses
    for step in range(lemmas.shape[1]):
        lemma = lemmas[:, step]
        silent = (lemma == NOTHING).all(axis=1)
        denied = np.zeros((len(clauses), variables + 1), dtype=np.int8)
        np.put_along_axis(denied, np.abs(lemma), -np.sign(lemma).astype(np.int8), axis=1)
        denied[:, 0] = 0
        _, false = propagate(known, denied)
        right &= false | silent
        known = np.concatenate([known, lemma[:, None]], axis=1)
    return right
