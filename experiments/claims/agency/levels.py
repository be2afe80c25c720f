"""Upper level sets of a distribution over answers: how large, and how sharp the edge.

Dimensions: Q problems, A answers of full length.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mgptn.population.records.arrays import Floats, Truths


class Levels(NamedTuple):
    """Of each problem the smallest set of answers that holds a share of the probability.

    Attributes
    ----------
    size
        float64 [Q]: how many answers.
    gap
        float64 [Q]: log p of the last in less log p of the first out, in nats; 0 where all are in.
    inside
        bool [Q, A]: which.
    """

    size: Floats
    gap: Floats
    inside: Truths


def upper_levels(probabilities: Floats, share: float) -> Levels:
    """The answers of most probability that together have a share, ties in the answers' order.

    Parameters
    ----------
    probabilities
        float64 [Q, A], rows that sum to one.
    share
        In (0, 1).
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    # What stands before a member holds less than the share; rounding must not let in one more.
    chosen = before < share - 1e-12
    size = chosen.sum(axis=1)
    logs = np.log(np.maximum(ranked, np.finfo(np.float64).tiny))
    last = np.take_along_axis(logs, size[:, None] - 1, axis=1)[:, 0]
    out = np.minimum(size, ranked.shape[1] - 1)
    first_out = np.take_along_axis(logs, out[:, None], axis=1)[:, 0]
    gap = np.where(size < ranked.shape[1], last - first_out, 0.0)
    inside = np.zeros(probabilities.shape, dtype=np.bool_)
    np.put_along_axis(inside, order, chosen, axis=1)
    return Levels(size.astype(np.float64), gap, inside)
