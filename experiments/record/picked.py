"""What people picked of a generation's answers, as columns, and their form as plain data.

Dimensions: C choices that were put to people, P of their opinions.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.record.fields import Fields
from mgptn.experiments.record.packed_arrays import Plain, pack
from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.columns import Columns

NONE_OF_THEM = -1
"""Stands for the candidate that nobody picked."""

MOST_CANDIDATES = 1024


def _integers() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Picked(Columns):
    """Choices among an author's answers, and what each of several people made of them.

    Attributes
    ----------
    answers
        Integers [C], ascending: index of the answer that came of each choice.
    keys
        A name of each choice by its content: equal ones were put to people once.
    decided
        Integers [C], the candidate that counts; `NONE_OF_THEM` where they refused them all.
    people
        Labels of those who picked.
    choices, who
        Integers [P], index of the choice, and in `people`.
    picked, shown
        Integers [P], the candidate, and the place in which they saw it; or `NONE_OF_THEM`.
    seconds
        float64 [P], how long the question was before their eyes.
    """

    answers: Integers = field(default_factory=_integers)
    keys: tuple[str, ...] = ()
    decided: Integers = field(default_factory=_integers)
    people: tuple[str, ...] = ()
    choices: Integers = field(default_factory=_integers)
    who: Integers = field(default_factory=_integers)
    picked: Integers = field(default_factory=_integers)
    shown: Integers = field(default_factory=_integers)
    seconds: Floats = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.choices)

    def to_plain(self) -> Plain:
        """As nested dicts, lists, strings, numbers and bytes."""
        return {
            "keys": list(self.keys),
            "people": list(self.people),
            **{name: pack(getattr(self, name)) for name in _ARRAYS},
        }

    @classmethod
    def from_plain(cls, plain: Fields, answers: int) -> Picked:
        """The inverse of `to_plain`, in a generation of so many answers.

        Raises
        ------
        RecordError
            If it is not as `to_plain` writes it.
        """
        keys, people = plain.texts("keys"), plain.texts("people")
        each, rows = (len(keys),), (None,)
        choices = plain.places("choices", rows, len(keys))
        rows = choices.shape
        candidate = {"low": NONE_OF_THEM, "high": MOST_CANDIDATES}
        return cls(
            answers=plain.places("answers", each, answers),
            keys=keys,
            decided=plain.integers("decided", each, **candidate),
            people=people,
            choices=choices,
            who=plain.places("who", rows, len(people)),
            picked=plain.integers("picked", rows, **candidate),
            shown=plain.integers("shown", rows, **candidate),
            seconds=plain.floats("seconds", rows),
        )


_ARRAYS = ("answers", "decided", "choices", "who", "picked", "shown", "seconds")
