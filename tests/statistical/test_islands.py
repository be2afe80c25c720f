"""The island model and neutral drift against theory.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one; those that say nothing of it draw nothing that could fail by chance.
"""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from mgptn.population.breeding.islands import sample_island_parents
from mgptn.population.draws.streams import stream
from tests.reference.population.breeding.islands import (
    Heterozygosities,
    expected_fixation_index,
    heterozygosities,
    neutral_heterozygosities,
)
from tests.reference.population.measures.diversity import neutral_heterozygosity

FALSE_ALARM = 1e-7
RATES = np.array([0.0, 3.0, 1.0, 2.0, 2.0, 0.0, 0.5])
SIZES = (3, 4)
DEME = np.repeat([0, 1], SIZES)

pure = settings(deadline=None, max_examples=100)


def mean_bound(samples):
    """Distance of a mean of numbers in [0, 1] from its expectation, exceeded with FALSE_ALARM.

    Maurer & Pontil 2009, the empirical Bernstein bound.
    """
    logarithm = math.log(4 / FALSE_ALARM)
    spread = math.sqrt(2 * np.var(samples, ddof=1) * logarithm / len(samples))
    return spread + 7 * logarithm / (3 * (len(samples) - 1))


@pytest.mark.parametrize("migration", [0.0, 0.3, 1.0])
def test_parents_come_from_the_own_deme_or_from_all_by_rate(migration):
    """Isolates at 0, one population at 1. False alarm: 1e-7 for each of seven slots."""
    runs = 2500
    rng = stream(1, "islands", f"{migration}")
    drawn = np.stack([sample_island_parents(RATES, SIZES, migration, rng) for _ in range(runs)])
    pooled = RATES / RATES.sum()
    for slot in range(RATES.size):
        own = np.where(DEME[slot] == DEME, RATES, 0.0)
        expected = runs * (migration * pooled + (1 - migration) * own / own.sum())
        counts = np.bincount(drawn[:, slot], minlength=RATES.size)
        possible = expected > 0
        assert counts[~possible].sum() == 0
        statistic = np.sum((counts - expected)[possible] ** 2 / expected[possible])
        assert statistic < chi2.isf(FALSE_ALARM, possible.sum() - 1)


def test_births_are_independent_of_each_other():
    """Migrant births of a generation are binomial. False alarm: 1e-7."""
    runs, migration = 3000, 0.4
    rng = stream(2, "migrants")
    rates, sizes = np.ones(8), (4, 4)
    apart = [
        int(np.sum((sample_island_parents(rates, sizes, migration, rng) < 4)[4:]))
        for _ in range(runs)
    ]
    expected = runs * binom.pmf(np.arange(5), 4, migration / 2)
    counts = np.bincount(apart, minlength=5)
    assert np.sum((counts - expected) ** 2 / expected) < chi2.isf(FALSE_ALARM, 4)


@pure
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5),
    st.floats(0, 1),
    st.integers(0, 10**6),
)
def test_every_slot_gets_a_fertile_parent(sizes, migration, seed):
    rng = stream(seed, "fertile")
    rates = rng.integers(0, 3, size=sum(sizes)).astype(float)
    rates[np.cumsum(sizes) - 1] = 1.0
    parents = sample_island_parents(rates, sizes, migration, rng)
    assert parents.shape == rates.shape
    assert np.all(rates[parents] > 0)
    isolates = sample_island_parents(rates, sizes, 0.0, rng)
    deme = np.repeat(np.arange(len(sizes)), sizes)
    assert np.array_equal(deme[isolates], deme)


@pytest.mark.parametrize(("migration", "another"), [(0.0, 0.1), (0.1, 0.3), (0.5, 0.1)])
def test_heterozygosities_under_drift_and_migration(migration, another):
    """H_S and H_T after 6 generations, and with them F_ST. False alarm: 2e-7 each."""
    runs, size, demes, generations = 2000, 4, 3, 6
    sizes = [size] * demes
    rng = stream(3, "heterozygosity", f"{migration}")
    start = heterozygosities(np.arange(size * demes), sizes)
    samples = []
    for _ in range(runs):
        kinds = np.arange(size * demes)
        for _ in range(generations):
            kinds = kinds[sample_island_parents(np.ones(kinds.size), sizes, migration, rng)]
        samples.append(heterozygosities(kinds, sizes))
    expected = neutral_heterozygosities(start, size, demes, migration, generations)
    within, total = np.array(samples).T
    assert abs(within.mean() - expected.within) < mean_bound(within) < 0.06
    assert abs(total.mean() - expected.total) < mean_bound(total) < 0.06
    # The test can tell one migration from another.
    other = neutral_heterozygosities(start, size, demes, another, generations)
    assert abs(within.mean() - other.within) > mean_bound(within)


@pure
@given(st.integers(1, 30), st.integers(2, 9), st.integers(0, 40))
def test_the_limits_are_isolates_and_one_population(size, demes, generations):
    start = Heterozygosities(1 - 1 / size, 1 - 1 / (size * demes))
    apart = neutral_heterozygosities(start, size, demes, 0.0, generations)
    alone = neutral_heterozygosity(start.within, size, generations)
    assert apart.within == pytest.approx(alone, abs=1e-12)
    together = neutral_heterozygosities(start, size, demes, 1.0, generations)
    panmictic = neutral_heterozygosity(start.total, size * demes, generations)
    assert together.total == pytest.approx(panmictic, rel=1e-9)


@pure
@given(st.integers(2, 200), st.floats(1e-3, 1.0))
def test_many_demes_settle_on_wrights_fixation_index(size, migration):
    residents = (1 - migration) ** 2
    wright = 1 / (size - (size - 1) * residents)
    got = expected_fixation_index(size, 10**6, migration)
    assert got == pytest.approx(wright, abs=1e-4)


@pure
@given(st.integers(2, 20), st.integers(2, 10), st.floats(0.05, 1.0))
def test_the_fixation_index_settles_whatever_the_start(size, demes, migration):
    start = Heterozygosities(0.3, 0.6)
    late = neutral_heterozygosities(start, size, demes, migration, 400)
    expected = expected_fixation_index(size, demes, migration)
    assert late.fixation_index == pytest.approx(expected, abs=1e-6)
    assert expected <= expected_fixation_index(size, demes, 0.0) == pytest.approx(1.0)


def test_two_agents_coalesce_after_n_generations_in_the_mean():
    """A geometric number with p = 1/N under neutral drift. False alarm: 1e-7."""
    runs, size, generations = 1200, 5, 9
    rng = stream(4, "coalescence")
    times = []
    for _ in range(runs):
        one, other, back = 0, 1, 0
        while one != other and back <= generations:
            back += 1
            parents = sample_island_parents(np.ones(size), [2, 3], 1.0, rng)
            one, other = parents[one], parents[other]
        times.append(back)
    chances = (1 - 1 / size) ** np.arange(generations + 1)
    expected = runs * np.append(chances[:-1] - chances[1:], chances[-1])
    counts = np.bincount(times, minlength=generations + 2)[1:]
    assert np.sum((counts - expected) ** 2 / expected) < chi2.isf(FALSE_ALARM, generations)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: sample_island_parents([1.0, 1.0], [1, 2], 0.1, rng), "sizes"),
        (lambda rng: sample_island_parents([1.0, 1.0], [2, 0], 0.1, rng), "sizes"),
        (lambda rng: sample_island_parents([1.0, 1.0], [2], 1.1, rng), "migration"),
        (lambda rng: sample_island_parents([1.0, 0.0], [1, 1], 0.1, rng), "in deme 1"),
    ],
)
def test_what_is_undefined_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call(stream(1, "refused"))


def test_one_population_may_have_a_deme_that_never_breeds():
    parents = sample_island_parents([1.0, 0.0], [1, 1], 1.0, stream(1, "barren"))
    assert parents.tolist() == [0, 0]
