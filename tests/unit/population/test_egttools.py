"""Fixation against egttools, an independent library."""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from mgptn.population.breeding import moran

analytical = pytest.importorskip("egttools").analytical  # no wheel for Python 3.13 and later


@pytest.mark.parametrize("advantage", [0.3, -0.2])
@pytest.mark.parametrize("size", [5, 40])
def test_birth_death_fixation_is_that_of_egttools(advantage, size):
    """Its pairwise comparison by Fermi's rule has the fixation probability of r = exp(β·Δ)."""
    payoffs = np.array([[1.0 + advantage] * 2, [1.0] * 2])
    process = analytical.StochDynamics(2, payoffs, size)
    ours = moran.fixation_probability(math.exp(advantage), size)
    assert process.fixation_probability(0, 1, 1.0) == pytest.approx(ours, rel=1e-9)
