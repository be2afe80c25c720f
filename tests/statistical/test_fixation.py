"""Finite populations against theory: fixation and drift.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one.
"""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from scipy.stats import binom

from mgptn.population.breeding import moran, wright_fisher
from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.draws.streams import stream
from mgptn.population.measures.diversity import effective_size
from tests.reference.population.measures.diversity import heterozygosity, neutral_heterozygosity

FALSE_ALARM = 1e-7


def agrees_with_probability(successes, runs, probability):
    """Two-sided exact binomial test."""
    low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], runs, probability)
    return low <= successes <= high


def mean_bound(samples):
    """Distance of a mean of numbers in [0, 1] from its expectation, exceeded with FALSE_ALARM.

    Maurer & Pontil 2009, the empirical Bernstein bound.
    """
    logarithm = math.log(4 / FALSE_ALARM)
    spread = math.sqrt(2 * np.var(samples, ddof=1) * logarithm / len(samples))
    return spread + 7 * logarithm / (3 * (len(samples) - 1))


def wright_fisher_fixes(relative_fitness, size, rng):
    mutant = np.arange(size) == 0
    while 0 < mutant.sum() < size:
        rates = np.where(mutant, relative_fitness, 1.0)
        mutant = mutant[wright_fisher.sample_parents(rates, rng)]
    return bool(mutant[0])


def moran_fixes(relative_fitness, size, rng, sample=moran.sample_events):
    mutant = [slot == 0 for slot in range(size)]
    while 0 < sum(mutant) < size:
        rates = [relative_fitness if is_mutant else 1.0 for is_mutant in mutant]
        for parent, death in zip(*sample(rates, 10 * size, rng), strict=True):
            mutant[death] = mutant[parent]
    return mutant[0]


@pytest.mark.parametrize("relative_fitness", [1.0, 1.5, 0.8])
def test_wright_fisher_fixation(relative_fitness):
    """False alarm: 1e-7 each."""
    runs, size = 3000, 8
    rng = stream(1, "wright-fisher", f"{relative_fitness}")
    fixed = sum(wright_fisher_fixes(relative_fitness, size, rng) for _ in range(runs))
    exact = wright_fisher.fixation_probability(relative_fitness, size)
    assert agrees_with_probability(fixed, runs, exact)
    # The test can tell the two processes apart.
    other = moran.fixation_probability(relative_fitness, size)
    assert relative_fitness == 1.0 or not agrees_with_probability(fixed, runs, other)


@pytest.mark.parametrize("relative_fitness", [1.0, 1.5, 0.8])
def test_moran_fixation(relative_fitness):
    """False alarm: 1e-7 each."""
    runs, size = 3000, 8
    rng = stream(2, "moran", f"{relative_fitness}")
    fixed = sum(moran_fixes(relative_fitness, size, rng) for _ in range(runs))
    exact = moran.fixation_probability(relative_fitness, size)
    assert agrees_with_probability(fixed, runs, exact)
    other = wright_fisher.fixation_probability(relative_fitness, size)
    assert relative_fitness == 1.0 or not agrees_with_probability(fixed, runs, other)


@pytest.mark.slow
@pytest.mark.parametrize("process", [wright_fisher_fixes, moran_fixes])
@pytest.mark.parametrize("relative_fitness", [1.0, 1.05])
def test_fixation_in_a_larger_population(process, relative_fitness):
    """False alarm: 1e-7 each."""
    runs, size = 10_000, 40
    module = wright_fisher if process is wright_fisher_fixes else moran
    rng = stream(3, module.__name__, f"{relative_fitness}")
    fixed = sum(process(relative_fitness, size, rng) for _ in range(runs))
    exact = module.fixation_probability(relative_fitness, size)
    assert agrees_with_probability(fixed, runs, exact)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_infinite_temperature_fixes_like_neutral_drift(name):
    """The fittest fixes with 1/N under every operator. False alarm: 1e-7 each."""
    runs, size = 1500, 6
    rng = stream(4, "neutral", name)
    fixed = 0
    for _ in range(runs):
        founders = np.arange(size)
        while np.ptp(founders) > 0:
            rates = OPERATORS[name](founders.astype(float), math.inf)
            founders = founders[wright_fisher.sample_parents(rates, rng)]
        fixed += founders[0] == size - 1
    assert agrees_with_probability(fixed, runs, 1 / size)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_the_fittest_fixes_more_often_under_selection(name):
    """Not neutral at T = 1/4: a right implementation fails with less than 1e-7."""
    runs, size = 400, 6
    rng = stream(5, "selected", name)
    fixed = 0
    for _ in range(runs):
        founders = np.arange(size)
        while np.ptp(founders) > 0:
            rates = OPERATORS[name](founders / size, 0.25)
            founders = founders[wright_fisher.sample_parents(rates, rng)]
        fixed += founders[0] == size - 1
    assert fixed > binom.ppf(1 - FALSE_ALARM, runs, 1 / size)


def test_wright_fisher_heterozygosity_decays_by_one_in_n():
    """False alarm: 1e-7."""
    runs, size, generations = 3000, 20, 12
    rng = stream(6, "heterozygosity")
    samples = []
    for _ in range(runs):
        founders = np.arange(size)
        for _ in range(generations):
            founders = founders[wright_fisher.sample_parents(np.ones(size), rng)]
        samples.append(heterozygosity(np.bincount(founders) / size))
    expected = neutral_heterozygosity(1 - 1 / size, size, generations)
    bound = mean_bound(samples)
    assert abs(np.mean(samples) - expected) < bound < 0.04


def test_moran_heterozygosity_decays_by_two_in_n_squared_per_event():
    """False alarm: 1e-7."""
    runs, size, events = 3000, 12, 60
    rng = stream(7, "heterozygosity")
    samples = []
    for _ in range(runs):
        founders = np.arange(size)
        for parent, death in zip(*moran.sample_events(np.ones(size), events, rng), strict=True):
            founders[death] = founders[parent]
        samples.append(heterozygosity(np.bincount(founders) / size))
    expected = (1 - 1 / size) * (1 - 2 / size**2) ** events
    bound = mean_bound(samples)
    assert abs(np.mean(samples) - expected) < bound < 0.05


def test_a_wright_fisher_generation_has_its_own_effective_size():
    """E[1/N_e] = 1/N, and less with unequal rates. False alarm: 1e-7 each."""
    runs, size = 4000, 10
    rng = stream(8, "effective size")
    for rates in (np.ones(size), np.array([4.0, 2.0, *[0.5] * 8])):
        shares = rates / rates.sum()
        inverse = [
            1 / effective_size(np.bincount(wright_fisher.sample_parents(rates, rng)))
            for _ in range(runs)
        ]
        assert abs(np.mean(inverse) - np.sum(shares**2)) < mean_bound(inverse) < 0.03
