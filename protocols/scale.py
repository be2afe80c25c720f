"""The five-level survey scale: distributions over it as one number, and noisy raters."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import mul

import numpy as np
import numpy.typing as npt

LEVELS: tuple[str, ...] = (
    "not at all",
    "a little",
    "a moderate amount",
    "a lot",
    "a great deal",
)
"""The survey's answers, worst first."""

LEVEL_VALUES: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where each level stands on the unit scale."""


def expected_level(probabilities: Sequence[float]) -> float:
    """Mean of the scale under a distribution over its five levels, in [0, 1].

    Parameters
    ----------
    probabilities
        float [5], non-negative and summing to 1, worst level first.

    Raises
    ------
    ValueError
        If there are not five of them.
    """
    if len(probabilities) != len(LEVELS):
        raise ValueError(
            f"probabilities: expected {len(LEVELS)} values, one a level, got {len(probabilities)}"
        )
    mean: float = sum(map(mul, probabilities, LEVEL_VALUES))
    return mean


def mean_level(grades: Iterable[Sequence[float] | None]) -> float:
    """Mean of the readable grades' expected levels; below every grade, −1, where none is."""
    known = [expected_level(levels) for levels in grades if levels is not None]
    return sum(known) / len(known) if known else -1.0


def certainty(probability: float) -> tuple[float, ...]:
    """The distribution that puts this probability on the top level, and the rest on the lowest.

    Its expected level is the probability itself: how a yes, a vote or a win is told as a grade.
    """
    return (1.0 - probability, *(0.0,) * (len(LEVELS) - 2), probability)


def level_wanted(name: str) -> int:
    """Place of a level that is asked for by its name, from 0.

    Raises
    ------
    ValueError
        If there is no such level.
    """
    if name not in LEVELS:
        raise ValueError(f"wanted: expected one of {', '.join(LEVELS)}, got {name!r}")
    return LEVELS.index(name)


RATERS = ((0.01, 0.02, 0.07, 0.20, 0.70), (0.06, 0.12, 0.20, 0.27, 0.35))
"""Probability of each survey level after a right answer, by a sharp rater and by a vague one;
reversed after a wrong answer. Raters are equally common, whatever the writer."""


def rated(
    rng: np.random.Generator, right: npt.NDArray[np.bool_], vague: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The levels that raters give to answers, int64 [N], from 0.

    Parameters
    ----------
    right
        bool [N].
    vague
        int64 [N], each rater's place in `RATERS`.
    """
    above = rng.random((len(right), 1)) > np.cumsum(RATERS, axis=1)[vague, :-1]
    after_right = above.sum(axis=1)
    levels: npt.NDArray[np.int64] = np.where(right, after_right, len(LEVELS) - 1 - after_right)
    return levels
