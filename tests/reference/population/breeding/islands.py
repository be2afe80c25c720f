"""How far neutral drift parts demes: what island populations are held against."""

# SPDX-License-Identifier: Apache-2.0

import math
from typing import NamedTuple

import numpy as np

from tests.reference.population.measures.diversity import heterozygosity


class Heterozygosities(NamedTuple):
    """Probability that two draws with replacement differ: within demes, and of all of them."""

    within: float
    total: float

    @property
    def fixation_index(self):
        """F_ST = (H_T − H_S)/H_T, 1 where demes share no kind; NaN where there is one kind only."""
        return (self.total - self.within) / self.total if self.total > 0.0 else math.nan


def heterozygosities(kinds, sizes):
    """Of the kinds [M] in the slots of demes of some sizes; demes count alike (Nei 1973)."""
    parts = np.split(np.asarray(kinds), np.cumsum(sizes)[:-1])
    most = np.max(kinds) + 1
    shares = [np.bincount(part, minlength=most) / part.size for part in parts]
    within = np.mean([heterozygosity(share) for share in shares])
    return Heterozygosities(float(within), heterozygosity(np.mean(shares, axis=0)))


def neutral_heterozygosities(start, size, demes, migration, generations):
    """Expected after neutral drift without mutation, in demes of equal size.

    Exact: with s = (1−m)², the chance that two births are both residents',
    H_S' = (1 − 1/n)·(s·H_S + (1−s)·H_T) and, between demes, H_B' = s·H_B + (1−s)·H_T, where
    H_T = H_S/D + (1 − 1/D)·H_B (Nei 1973; Maruyama 1970).
    """
    step = np.linalg.matrix_power(_drift(size, demes, migration), generations)
    within, total = step @ np.array([start.within, start.total])
    return Heterozygosities(float(within), float(total))


def expected_fixation_index(size, demes, migration):
    """F_ST that drift and migration settle on: expected H_S and H_T decay in its ratio.

    As D → ∞ it is Wright's 1/(n − (n−1)(1−m)²) (Wright 1951; Maruyama 1970).
    """
    values, vectors = np.linalg.eig(_drift(size, demes, migration))
    within, total = np.real(vectors[:, np.argmax(np.real(values))])
    return float((total - within) / total)


def _drift(size, demes, migration):
    """One generation of expected (H_S, H_T), float64 [to, from]."""
    residents = (1.0 - migration) ** 2
    within = (1.0 - 1.0 / size) * np.array([residents, 1.0 - residents])
    # H_B = (D·H_T − H_S)/(D − 1)
    apart = np.array([-1.0, float(demes)]) / (demes - 1.0)
    between = residents * apart + np.array([0.0, 1.0 - residents])
    return np.stack([within, within / demes + (1.0 - 1.0 / demes) * between])
