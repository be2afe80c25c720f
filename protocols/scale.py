"""The five-level survey scale, and what a distribution over it says as one number."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

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
    return sum(p * v for p, v in zip(probabilities, LEVEL_VALUES, strict=True))
