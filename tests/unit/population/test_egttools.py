"""Fixation and the replicator against egttools, an independent library."""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from egttools import analytical

from mgptn.population.breeding import moran
from mgptn.population.draws.streams import stream
from mgptn.population.theory import replicator


@pytest.mark.parametrize("advantage", [0.3, -0.2])
@pytest.mark.parametrize("size", [5, 40])
def test_birth_death_fixation_is_that_of_egttools(advantage, size):
    """Its pairwise comparison by Fermi's rule has the fixation probability of r = exp(β·Δ)."""
    payoffs = np.array([[1.0 + advantage] * 2, [1.0] * 2])
    process = analytical.StochDynamics(2, payoffs, size)
    ours = moran.fixation_probability(math.exp(advantage), size)
    assert process.fixation_probability(0, 1, 1.0) == pytest.approx(ours, rel=1e-9)


def test_a_replicator_step_is_that_of_egttools():
    """Its continuous change of shares is the discrete one times mean earnings."""
    rng = stream(4, "replicator")
    for _ in range(20):
        payoffs, shares = rng.random((4, 4)), rng.dirichlet(np.ones(4))
        change = (replicator.replicator_step(shares, payoffs) - shares) * (
            shares @ payoffs @ shares
        )
        theirs = analytical.replicator_equation(shares, payoffs)
        np.testing.assert_allclose(theirs, change, atol=1e-12)
