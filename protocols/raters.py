"""Noisy raters: which survey level a right answer gets, and which a wrong one."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mgptn.protocols.scale import LEVELS

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
