"""Heterozygosity, and what neutral drift leaves of it: what populations are held against."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np


def heterozygosity(shares):
    """Probability that two draws with replacement differ in kind: 1 − Σ p² (Nei 1973)."""
    return float(1.0 - np.sum(np.square(shares)))


def neutral_heterozygosity(initial, size, generations):
    """Expected after neutral Wright–Fisher generations: H₀·(1 − 1/N)^t.

    One Moran event multiplies heterozygosity by 1 − 2/N² instead, so that N of them drift twice
    as fast.
    """
    return initial * (1.0 - 1.0 / size) ** generations
