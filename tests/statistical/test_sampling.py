"""Sampling of parents, and intervals, against their promises.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one.
"""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from scipy.stats import binom, chi2

from mgptn.population.breeding import moran
from mgptn.population.breeding.wright_fisher import sample_parents
from mgptn.population.draws.streams import stream
from mgptn.population.intervals.spread import spread_of_any, t_interval
from tests.reference.population.breeding.moran import sample_events_plainly

FALSE_ALARM = 1e-7
RATES = np.array([0.0, 0.2, 3.0, 0.8, 1.0])


def chi_square(counts, expected):
    present = expected > 0
    assert counts[~present].sum() == 0
    return np.sum((counts - expected)[present] ** 2 / expected[present])


def test_multinomial_parents_have_their_rates_in_every_slot():
    """False alarm: 1e-7 for each of six chi-square tests."""
    runs = 4000
    rng = stream(1, "parents")
    drawn = np.stack([sample_parents(RATES, rng) for _ in range(runs)])
    shares = RATES / RATES.sum()
    for slot in range(RATES.size):
        counts = np.bincount(drawn[:, slot], minlength=RATES.size)
        assert chi_square(counts, runs * shares) < chi2.isf(FALSE_ALARM, 3)
    # Slots are independent, so the variance of an offspring number is the binomial's.
    offspring = (drawn == 2).sum(axis=1)
    counts = np.bincount(offspring, minlength=6)
    assert chi_square(counts, runs * binom.pmf(np.arange(6), 5, 0.6)) < chi2.isf(FALSE_ALARM, 5)


def test_systematic_parents_have_their_rates_in_the_mean():
    """Offspring numbers are an expectation rounded up or down. False alarm: 5e-7 in all."""
    runs = 3000
    rng = stream(2, "parents")
    drawn = np.stack([sample_parents(RATES, rng, "systematic") for _ in range(runs)])
    for agent, rate in enumerate(RATES):
        offspring = (drawn == agent).sum(axis=1)
        surplus = int((offspring - math.floor(rate)).sum())
        low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], runs, rate - math.floor(rate))
        assert low <= surplus <= high


@pytest.mark.parametrize("sample", [moran.sample_events, sample_events_plainly])
def test_moran_events_draw_parents_by_rate_and_deaths_uniformly(sample):
    """False alarm: 2e-7 each."""
    runs = 4000
    rng = stream(3, "events")
    parents, deaths = np.concatenate([sample(RATES, 1, rng) for _ in range(runs)], axis=1)
    by_rate = np.bincount(parents, minlength=RATES.size)
    assert chi_square(by_rate, runs * RATES / RATES.sum()) < chi2.isf(FALSE_ALARM, 3)
    together = np.bincount(parents * RATES.size + deaths, minlength=RATES.size**2)
    independent = np.repeat(runs * RATES / RATES.sum() / RATES.size, RATES.size)
    # The parent's own slot dies as often as any other.
    assert chi_square(together, independent) < chi2.isf(FALSE_ALARM, 19)


def test_leaving_out_clusters_covers_a_statistic():
    """Of a deviation of 25 clusters of 6, nominal 95 %. False alarm below 1e-6."""
    rng = stream(4, "coverage")
    covered, runs, truth = 0, 400, math.sqrt(1.0 + 0.3**2)
    for _ in range(runs):
        clusters = rng.normal(size=(25, 1)) + 0.3 * rng.normal(size=(25, 6))
        low, high = t_interval(spread_of_any(clusters, np.std))
        covered += low <= truth <= high
    assert binom.ppf(1e-6, runs, 0.9) <= covered <= binom.ppf(1 - 1e-6, runs, 0.965)
