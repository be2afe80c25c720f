"""Dawid and Skene's rule on a dense table of labels, where product code has sparse ones."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np

from mgptn.population.judging.dawid_skene import maximise


def dawid_skene(labels, iterations=500, smoothing=1.0):
    """From labels [K, A], 1 for accepted, 0 for rejected, NaN for not graded."""
    votes = np.asarray(labels, dtype=np.float64)
    labelled = ~np.isnan(votes).all(axis=0)
    accepted, rejected = ((votes[:, labelled] == label).astype(np.float64) for label in (1, 0))
    found = maximise(accepted, rejected, iterations, smoothing=smoothing)
    right = np.full(votes.shape[1], np.nan)
    right[labelled] = found.right
    return found._replace(right=right)
