"""The simulated human: how it rates an answer, and which of several it picks, given what is so.

Pure functions of uniform numbers: whoever calls says which random stream they come from.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from mgptn.population.records.arrays import Floats

RATING_DRAWS, PICK_DRAWS = 3, 2
"""Uniform numbers that one rating takes, and one pick."""

NOBODY = -1
"""What `pick` says for none of the candidates."""


@dataclass(frozen=True, slots=True)
class Human:
    """How a simulated human differs from the verifier.

    Attributes
    ----------
    noise
        Standard deviation of a rating, and scale of the softmax of a pick; ≥ 0.
    lapse
        Probability of rating or picking without looking: a rating is then uniform in [0, 1], a
        pick any of the candidates evenly.
    bias
        Added to every rating; above zero it is lenient.
    position_bias
        Added to the utility of the candidate that is shown first.
    reserve
        Utility of picking none; −inf for one that always picks.

    Raises
    ------
    ValueError
        If noise is negative, or lapse no probability.
    """

    noise: float = 0.1
    lapse: float = 0.02
    bias: float = 0.0
    position_bias: float = 0.0
    reserve: float = 0.5

    def __post_init__(self) -> None:
        if not self.noise >= 0.0:
            raise ValueError(f"noise: expected a number ≥ 0, got {self.noise}")
        if not 0.0 <= self.lapse <= 1.0:
            raise ValueError(f"lapse: expected a probability in [0, 1], got {self.lapse}")


def rate(utilities: ArrayLike, uniforms: ArrayLike, human: Human) -> Floats:
    """Ratings of answers: what they are worth, with noise and bias, kept within [0, 1].

    Parameters
    ----------
    utilities
        [A], what each answer is worth; 1 for a right one and 0 for a wrong one, say.
    uniforms
        float64 [3, A] in [0, 1): does it lapse; the noise; the rating of a lapse.

    Returns
    -------
    float64 [A]

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    worth, draws = np.asarray(utilities, dtype=np.float64), np.asarray(uniforms, dtype=np.float64)
    if draws.shape != (RATING_DRAWS, *worth.shape):
        raise ValueError(
            f"uniforms: expected shape {(RATING_DRAWS, *worth.shape)}, got {draws.shape}"
        )
    # Off 0, where the normal's inverse is infinite.
    noise = human.noise * scipy.special.ndtri(np.maximum(draws[1], 2.0**-53))
    looked = np.clip(worth + human.bias + noise, 0.0, 1.0)
    ratings: Floats = np.where(draws[0] < human.lapse, draws[2], looked)
    return ratings


def pick(utilities: ArrayLike, uniforms: ArrayLike, human: Human) -> NDArray[np.int64]:
    """Which of n candidates a human picks: softmax over utilities, none among the choices.

    A lapse picks any candidate evenly. Without noise the best is picked, ties evenly.

    Parameters
    ----------
    utilities
        float64 [B, n], n ≥ 1, in the order shown; NaN or −inf for a candidate that is none.
    uniforms
        float64 [2, B] in [0, 1): does it lapse; which one.

    Returns
    -------
    int64 [B], index of the candidate, `NOBODY` for none of them.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Source
    ------
    Luce 1959, "Individual choice behavior", with lapses as of Wichmann & Hill 2001.
    """
    worth = np.array(utilities, dtype=np.float64)
    draws = np.asarray(uniforms, dtype=np.float64)
    if worth.ndim != 2 or worth.shape[1] < 1:
        raise ValueError(f"utilities: expected rows of candidates, got shape {worth.shape}")
    if draws.shape != (PICK_DRAWS, len(worth)):
        raise ValueError(f"uniforms: expected shape {(PICK_DRAWS, len(worth))}, got {draws.shape}")
    worth[np.isnan(worth)] = -np.inf
    present = worth > -np.inf
    worth[:, 0] += human.position_bias
    options = np.column_stack([worth, np.full(len(worth), human.reserve)])
    top = options.max(axis=1, keepdims=True)
    behind = np.where(np.isfinite(options), options - np.where(np.isfinite(top), top, 0.0), -np.inf)
    if human.noise > 0.0:
        looked = np.exp(behind / human.noise)
    else:
        looked = (behind == 0.0).astype(np.float64)
    blind = np.column_stack([present, np.zeros(len(worth))]).astype(np.float64)
    weights = np.where((draws[0] < human.lapse)[:, None], blind, looked)
    ends = np.cumsum(weights, axis=1)
    chosen = np.sum(ends <= draws[1][:, None] * ends[:, -1:], axis=1)
    nobody = (ends[:, -1] == 0.0) | (chosen >= worth.shape[1])
    picked: NDArray[np.int64] = np.where(nobody, NOBODY, chosen)
    return picked
