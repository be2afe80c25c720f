"""Counted fixations of many trials at once, against the exact probabilities.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one; those that say nothing of it draw nothing that could fail by chance.
"""

# SPDX-License-Identifier: Apache-2.0

import pytest
from scipy.stats import binom

from mgptn.population.draws.streams import stream
from mgptn.population.theory.fixation import PROCESSES, count_fixations

FALSE_ALARM = 1e-7


def agrees(fixed, trials, probability):
    """Two-sided exact binomial test."""
    low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], trials, probability)
    return low <= fixed <= high


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("size", [2, 3, 8, 100])
@pytest.mark.parametrize("relative_fitness", [0.8, 0.9, 1.0, 1.1, 2.0, 3.0])
def test_fixations_are_as_frequent_as_the_exact_probability(process, size, relative_fitness):
    """False alarm: 1e-7 each."""
    trials = 100_000 if size < 100 else 30_000
    rng = stream(1, "fixation", process, size, f"{relative_fitness}")
    fixed = count_fixations(process, relative_fitness, size, trials, rng)
    assert agrees(fixed, trials, PROCESSES[process].exact(relative_fitness, size))


def test_the_processes_can_be_told_apart():
    """False alarm: 1e-7 each; the processes differ by more than that."""
    trials = 300_000
    for process in PROCESSES:
        fixed = count_fixations(process, 2.0, 6, trials, stream(2, "apart", process))
        matching = [
            n for n, other in PROCESSES.items() if agrees(fixed, trials, other.exact(2.0, 6))
        ]
        assert matching == [process]


@pytest.mark.slow
@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("relative_fitness", [0.999, 1.0, 1.01])
def test_fixations_in_a_large_population(process, relative_fitness):
    """False alarm: 1e-7 each."""
    trials, size = 100_000, 500
    rng = stream(3, "fixation", process, f"{relative_fitness}")
    fixed = count_fixations(process, relative_fitness, size, trials, rng)
    assert agrees(fixed, trials, PROCESSES[process].exact(relative_fitness, size))


def test_edges_and_bad_arguments():
    rng = stream(4, "edges")
    assert count_fixations("moran", 2.0, 1, 7, rng) == 7
    assert count_fixations("moran", 2.0, 5, 0, rng) == 0
    with pytest.raises(ValueError, match=r"process: expected one of moran, .* got 'other'"):
        count_fixations("other", 1.0, 5, 1, rng)
    with pytest.raises(ValueError, match=r"relative_fitness: .* got 0\.0"):
        count_fixations("moran", 0.0, 5, 1, rng)
    with pytest.raises(ValueError, match=r"size, trials: .* got 0 and 1"):
        count_fixations("moran", 1.0, 0, 1, rng)
