"""Death–birth events against their promises, the exact chain, plain versions and egttools.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one; those that say nothing of it draw nothing that could fail by chance.
"""

# SPDX-License-Identifier: Apache-2.0

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from mgptn.population.breeding import moran
from mgptn.population.draws.streams import stream
from tests.reference.population.breeding.moran import sample_death_birth_plainly

FALSE_ALARM = 1e-7
RATES = np.array([0.0, 0.2, 3.0, 0.8, 1.0])
SAMPLERS = [moran.sample_death_birth, sample_death_birth_plainly]

pure = settings(deadline=None, max_examples=80)


def agrees_with_probability(successes, runs, probability):
    """Two-sided exact binomial test."""
    low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], runs, probability)
    return low <= successes <= high


def chain(relative_fitness, size):
    """Chances to win and to lose a mutant in one event, of 1 … N−1 mutants, exactly."""
    r = Fraction(relative_fitness)
    for i in range(1, size):
        won = Fraction(size - i, size) * r * i / (r * i + size - i - 1)
        lost = Fraction(i, size) * (size - i) / (r * (i - 1) + size - i)
        yield won, lost


def plain_fixation(relative_fitness, size, mutants):
    """Fixation in any birth–death chain: sums of products of the ratios lost/won."""
    products = [Fraction(1)]
    for won, lost in chain(relative_fitness, size):
        products.append(products[-1] * lost / won)
    return sum(products[:mutants]) / sum(products)


@pure
@given(st.integers(1, 25), st.fractions(Fraction(1, 20), 20), st.data())
def test_fixation_probability_in_exact_arithmetic(size, relative_fitness, data):
    mutants = data.draw(st.integers(0, size))
    r = float(relative_fitness)
    exact = plain_fixation(r, size, mutants)
    got = moran.death_birth_fixation_probability(r, size, mutants)
    assert got == pytest.approx(float(exact), rel=1e-13 * (size + 1))


def test_fixation_probability_at_the_edges():
    fixation = moran.death_birth_fixation_probability
    assert fixation(1.0, 10**6) == 1e-6
    assert fixation(3.0, 1) == 1.0
    assert fixation(3.0, 2) == pytest.approx(0.5)  # two slots: each replaces the other
    assert fixation(0.5, 10**6) == 0.0
    assert fixation(1e308, 10) == pytest.approx(0.9)
    assert fixation(1e-308, 2) == pytest.approx(0.5)
    for step in (1e-9, 1e-12, 2.3e-16):
        for relative_fitness in (1 + step, 1 - step):
            slope = (relative_fitness - 1) * (10**6 - 2) / 2
            assert fixation(relative_fitness, 10**6) * 1e6 == pytest.approx(1 + slope, rel=1e-6)
    with pytest.raises(ValueError, match="mutants"):
        fixation(1.5, 5, 6)


@pytest.mark.parametrize("size", [3, 10, 50])
@pytest.mark.parametrize("relative_fitness", [1.05, 1.5, 0.8])
def test_death_birth_suppresses_selection(relative_fitness, size):
    weaker = moran.death_birth_fixation_probability(relative_fitness, size)
    stronger = moran.fixation_probability(relative_fitness, size)
    assert abs(weaker - 1 / size) < abs(stronger - 1 / size)


@pytest.mark.parametrize("sample", SAMPLERS)
def test_events_draw_deaths_uniformly_and_parents_among_the_others(sample):
    """One chi-square test over all pairs of slots. False alarm: 1e-7 each."""
    runs = 6000
    rng = stream(1, "death-birth")
    parents, deaths = np.concatenate([sample(RATES, 1, rng) for _ in range(runs)], axis=1)
    expected = np.tile(RATES, (5, 1))
    np.fill_diagonal(expected, 0.0)
    expected *= runs / 5 / expected.sum(axis=1, keepdims=True)
    counts = np.zeros((5, 5))
    np.add.at(counts, (deaths, parents), 1)
    possible = expected > 0
    assert counts[~possible].sum() == 0
    statistic = np.sum((counts - expected)[possible] ** 2 / expected[possible])
    assert statistic < chi2.isf(FALSE_ALARM, possible.sum() - 1)


@pure
@given(st.lists(st.integers(0, 8), min_size=2, max_size=9).filter(any), st.integers(0, 10**6))
def test_the_fast_version_is_the_plain_one(rates, seed):
    """Whole numbers, so that sums in any order are equal; their shares are sixteenths."""
    rates = [*rates, 16]
    fast, plain = (sample(rates, 40, stream(seed, "death-birth")) for sample in SAMPLERS)
    assert np.array_equal(fast.parents, plain.parents)
    assert np.array_equal(fast.deaths, plain.deaths)
    assert np.all(fast.parents != fast.deaths)
    alive = np.array(rates)
    for parent, death in zip(*fast, strict=True):
        others = np.delete(alive, death)
        assert alive[parent] > 0 or not others.any()
        alive[death] = alive[parent]


@pytest.mark.parametrize("sample", SAMPLERS)
def test_without_a_fertile_one_among_the_others_each_is_as_likely(sample):
    """False alarm: 1e-7 each."""
    rng = stream(2, "barren")
    first = np.concatenate([sample([0.0, 1.0, 0.0, 0.0], 1, rng) for _ in range(4000)], axis=1)
    barren = first[0][first[1] == 1]
    counts = np.bincount(barren, minlength=4)
    assert counts[1] == 0
    expected = barren.size / 3
    statistic = np.sum((counts[[0, 2, 3]] - expected) ** 2 / expected)
    assert statistic < chi2.isf(FALSE_ALARM, 2)
    assert np.all(first[0][first[1] != 1] == 1)


def fixes(sample, relative_fitness, size, rng):
    mutant = [slot == 0 for slot in range(size)]
    while 0 < sum(mutant) < size:
        rates = [relative_fitness if is_mutant else 1.0 for is_mutant in mutant]
        for parent, death in zip(*sample(rates, 10 * size, rng), strict=True):
            mutant[death] = mutant[parent]
    return mutant[0]


@pytest.mark.parametrize("relative_fitness", [1.0, 2.0, 0.3])
def test_fixation_by_sampling(relative_fitness):
    """False alarm: 1e-7 each."""
    runs, size = 4000, 4
    rng = stream(3, "death-birth fixation", f"{relative_fitness}")
    fixed = sum(fixes(moran.sample_death_birth, relative_fitness, size, rng) for _ in range(runs))
    exact = moran.death_birth_fixation_probability(relative_fitness, size)
    assert agrees_with_probability(fixed, runs, exact)
    # The test can tell the two orders of events apart.
    other = moran.fixation_probability(relative_fitness, size)
    assert relative_fitness == 1.0 or not agrees_with_probability(fixed, runs, other)


def test_one_agent_has_nobody_to_replace_it():
    with pytest.raises(ValueError, match="at least 2 agents, got 1"):
        moran.sample_death_birth([1.0], 3, stream(1, "alone"))
    with pytest.raises(ValueError, match="events"):
        moran.sample_death_birth([1.0, 1.0], -1, stream(1, "negative"))
