"""The discrete replicator equation."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np


def replicator_step(shares, payoffs):
    """One generation: x_i' = x_i·(A x)_i / (x·A x) (Taylor & Jonker 1978)."""
    grown = np.multiply(shares, np.asarray(payoffs) @ shares)
    return grown / grown.sum()
