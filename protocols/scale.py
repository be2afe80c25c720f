"""The five-level survey scale, and what a distribution over it says as one number."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import mul

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
