"""Wrong answers in the right form, for tasks whose answers are whatever text somebody wrote."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np

from mgptn.protocols.tasks.task import Problem

EDITS = 40
"""Edits of the reference that are tried when no other problem's reference will do."""


def wrong_answer(
    problem: Problem,
    others: Iterable[str],
    verify: Callable[[str, str], bool | None],
    longest: int,
    rng: np.random.Generator,
) -> str:
    """Another problem's reference, or else an edit of this one's, that the verifier rejects.

    Parameters
    ----------
    others
        References of other problems, in the order to try them.
    longest
        Characters that an answer may have.

    Raises
    ------
    ValueError
        If the verifier accepts all of them.
    """
    for candidate in chain(others, _edits(problem.reference, rng)):
        fits = 0 < len(candidate) <= longest and candidate != problem.reference
        if fits and _rejects(verify(problem.query, candidate)):
            return candidate
    raise ValueError(
        f"corrupt: expected a verifier that rejects something, got one that accepts every "
        f"other answer tried to {problem.query!r}"
    )


def _rejects(said: bool | None) -> bool:
    return said is not None and not said


def _edits(text: str, rng: np.random.Generator) -> Iterator[str]:
    """One character changed to another of the same kind, or left out."""
    for _ in range(EDITS):
        place = int(rng.integers(len(text)))
        before, after = text[:place], text[place + 1 :]
        if rng.random() < 0.5:
            yield before + after
        else:
            yield before + _another(text[place], rng) + after


def _another(character: str, rng: np.random.Generator) -> str:
    alphabet = "0123456789" if character.isdecimal() else "abcdefghijklmnopqrstuvwxyz"
    return str(rng.choice([other for other in alphabet if other != character]))
