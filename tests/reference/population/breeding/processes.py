"""Expected offspring numbers, exactly: what the processes are held against."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np

from mgptn.population.breeding.processes import ProcessOptions, deme_size


def expected_offspring(process, rates, options=None):
    """Expected number of an agent's children, itself included where it survives, [M], mean one.

    Not of unequal rates under ``"moran"`` and ``"death-birth"``, whose events depend on those
    before.
    """
    weights = np.asarray(rates, dtype=np.float64)
    if process == "none" or np.all(weights == weights[0]):
        return np.ones(weights.size)
    assert process not in ("moran", "death-birth")
    options = options or ProcessOptions()
    everywhere = weights / weights.mean()
    if process != "islands":
        return everywhere
    demes = weights.reshape(-1, deme_size(process, options, weights.size))
    at_home = (demes / demes.mean(axis=1, keepdims=True)).ravel()
    return options.migration * everywhere + (1 - options.migration) * at_home
