"""Texts and grades as tables of distinct ones, and what is unknown of them.

Dimensions: N texts or grades, D distinct ones, L levels of the scale.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.arrays import Floats, interned

Levels = tuple[float, ...] | None
"""A distribution over the scale, worst level first; None where it could not be read."""


@dataclass(frozen=True, slots=True)
class Given:
    """Distinct grades in order of appearance.

    Attributes
    ----------
    levels, values, masses
        float64 [D, L], [D] and [D] or [0], as of `Outcomes`.
    places
        int64 [N], the index of every grade, −1 where it could not be read.
    """

    levels: Floats
    values: Floats
    masses: Floats
    places: NDArray[np.int64]


def given_grades(grades: Sequence[tuple[Levels, float | None, float | None]]) -> Given:
    """Levels, value and mass of N grades, in order, as tables of distinct ones."""
    readable = [grade[0] is not None and grade[1] is not None for grade in grades]
    distinct, known = interned(compress(grades, readable))
    places = np.full(len(grades), -1, dtype=np.int64)
    places[readable] = known
    return Given(
        levels=np.array([levels for levels, *_ in distinct], dtype=np.float64).reshape(
            len(distinct), -1 if distinct else 0
        ),
        values=np.array([value for _, value, _ in distinct], dtype=np.float64),
        masses=or_nothing(np.array(or_nan([mass for *_, mass in distinct]))),
        places=places,
    )


def told_texts(
    told: Sequence[tuple[str, str | None]],
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """Answers, and what counts of each, None where all does: `texts`, `answers` and `parts`."""
    answers = [answer for answer, _ in told]
    whole = all(part is None for _, part in told)
    counted = () if whole else (answer if part is None else part for answer, part in told)
    texts, said = interned([*answers, *counted])
    return texts, said[: len(told)], said[len(told) :]


def or_nan(values: Iterable[float | None]) -> list[float]:
    """Numbers, NaN in place of None."""
    return [math.nan if value is None else value for value in values]


def or_nothing(values: Floats) -> Floats:
    """An empty column in place of one in which nothing is known."""
    return values if not np.isnan(values).all() else np.zeros((0,) * values.ndim)
