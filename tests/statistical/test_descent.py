"""Genealogies of simulated Wright–Fisher populations against the exact ones.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one.
"""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from mgptn.population.breeding.wright_fisher import sample_parents
from mgptn.population.draws.streams import stream
from mgptn.population.measures.jury import expected_identity
from mgptn.population.theory.descent import (
    ancestor_time,
    coalescence_probability,
    expected_lineages,
)
from tests.statistical.test_fixation import mean_bound


def lineages_back(size, sampled, runs, generations, rng):
    """Ancestors that n of N agents had 0 … t generations ago, in each run: int64 [t + 1, runs]."""
    line = np.tile(np.arange(sampled), (runs, 1))
    numbers = [np.full(runs, sampled)]
    for _ in range(generations):
        line = np.take_along_axis(rng.integers(size, size=(runs, size)), line, axis=1)
        ordered = np.sort(line, axis=1)
        numbers.append(1 + np.count_nonzero(np.diff(ordered, axis=1), axis=1))
    return np.array(numbers)


@pytest.mark.parametrize(("size", "sampled"), [(8, 8), (8, 2), (16, 4)])
def test_lineages_of_a_neutral_population(size, sampled):
    """False alarm: 1e-6 each, for at most four bounds of 1e-7 each and runs cut short."""
    runs, generations = 4000, 25 * size
    numbers = lineages_back(size, sampled, runs, generations, stream(1, "descent", size, sampled))
    for back in (1, 5, 10):
        shares = numbers[back] / sampled
        expected = expected_lineages(size, sampled, back) / sampled
        assert abs(shares.mean() - expected) < mean_bound(shares)
    # That a run has more than one lineage left has chance (1 − 1/N)^25N · n(n − 1)/2: below 1e-10.
    times = np.sum(numbers > 1, axis=0) / generations
    assert abs(times.mean() - ancestor_time(size, sampled) / generations) < mean_bound(times)


@pytest.mark.parametrize("rates", [[1] * 6, [3, 2, 1, 0, 0, 0], [4, 1, 1, 1, 1, 1]])
def test_identity_by_descent_where_rates_say_nothing_of_descent(rates):
    """False alarm: 2e-7 each, of two bounds."""
    runs, generations, size = 3000, 3, len(rates)
    rng = stream(2, "descent", f"{rates}")
    for known in (1, generations):
        kin = np.zeros(runs)
        for run in range(runs):
            founders = np.arange(size)
            for _ in range(known):
                founders = founders[sample_parents(rng.permutation(rates), rng)]
            counts = np.bincount(founders)
            kin[run] = counts @ (counts - 1) / (size * (size - 1))
        expected = expected_identity([coalescence_probability(rates)] * known)
        assert abs(kin.mean() - expected) < mean_bound(kin)
