"""Measures: diversity, capability, ratings, graders."""

# SPDX-License-Identifier: Apache-2.0

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from mgptn.population.draws.streams import stream
from mgptn.population.intervals.spread import spread, spread_of_any
from mgptn.population.judging import ratings
from mgptn.population.measures import capability, diversity
from mgptn.population.measures.rates import (
    auc,
    brier,
    calibration_error,
    effective_graders,
    error_correlation,
    grader_rates,
)

pure = settings(deadline=None, max_examples=80)

seeds = st.integers(0, 10**6)
orders = st.one_of(st.floats(0, 8), st.sampled_from([0.0, 1.0, 2.0, math.inf, 1 + 1e-9, 1 - 1e-9]))
compositions = st.lists(st.integers(0, 20), min_size=1, max_size=8).map(
    lambda counts: np.array([*counts, 1]) / (sum(counts) + 1)
)

# Diversity.


@pure
@given(compositions, orders, orders)
def test_hill_numbers_fall_with_order_within_the_number_of_kinds(shares, one, other):
    low, high = sorted((one, other))
    richness = np.count_nonzero(shares)
    assert diversity.hill(shares, 0.0) == richness
    assert diversity.hill(shares, high) <= diversity.hill(shares, low) * (1 + 1e-9)
    assert 1 - 1e-9 <= diversity.hill(shares, high) <= richness * (1 + 1e-9)


@pure
@given(compositions, orders)
def test_splitting_every_kind_in_two_doubles_diversity(shares, order):
    split = np.concatenate([shares, shares]) / 2
    assert diversity.hill(split, order) == pytest.approx(2 * diversity.hill(shares, order))


@pure
@given(compositions, st.floats(0.85, 1.15))
def test_hill_is_one_smooth_function_of_order(shares, order):
    present = shares[shares > 0]
    if abs(order - 1) > 1e-3:
        plain = float(np.sum(present**order)) ** (1 / (1 - order))
        assert diversity.hill(shares, order) == pytest.approx(plain, rel=1e-9)
    for step in (1e-4, 1e-9, 1e-15):
        got = diversity.hill(shares, 1 + step)
        assert got == pytest.approx(diversity.hill(shares, 1.0), rel=30 * step + 1e-12)


@pure
@given(st.lists(st.integers(0, 6), min_size=1, max_size=12))
def test_effective_size_from_the_variance_in_offspring(counts):
    offspring = np.array([*counts, 2])
    born = offspring.sum()
    parents = np.repeat(np.arange(offspring.size), offspring)
    pairs = list(itertools.combinations(parents, 2))
    same = sum(a == b for a, b in pairs) / len(pairs)
    assert diversity.effective_size(offspring) == pytest.approx(1 / same)
    if born == offspring.size:
        variance_form = (born - 1) / offspring.var()
        assert diversity.effective_size(offspring) == pytest.approx(variance_form)


def test_effective_size_at_the_edges():
    assert diversity.effective_size(np.ones(7)) == math.inf
    assert diversity.effective_size([7, 0, 0, 0, 0, 0, 0]) == 1.0
    with pytest.raises(ValueError, match="at least two"):
        diversity.effective_size([1, 0])
    with pytest.raises(ValueError, match=r"whole numbers ≥ 0, got 1\.5"):
        diversity.effective_size([1.5, 0.5])
    with pytest.raises(ValueError, match=r"shares: .*sum to one"):
        diversity.hill([0.5, 0.4], 1)


# Capability.


@pure
@given(st.integers(1, 60), st.data())
def test_pass_at_k_in_exact_arithmetic(samples, data):
    correct = data.draw(st.integers(0, samples))
    draws = data.draw(st.integers(0, samples))
    ways = Fraction(math.comb(samples - correct, draws), math.comb(samples, draws))
    got = capability.pass_at_k(samples, correct, draws)
    assert got == pytest.approx(float(1 - ways), rel=1e-11)


@pytest.mark.parametrize(("correct", "draws"), [(1, 1), (3, 5000), (5000, 3), (4999, 5000)])
def test_pass_at_k_of_ten_thousand_samples(correct, draws):
    ways = Fraction(math.comb(10_000 - correct, draws), math.comb(10_000, draws))
    got = capability.pass_at_k(10_000, correct, draws)
    assert got == pytest.approx(float(1 - ways), rel=1e-11)


@pytest.mark.parametrize("samples", [1, 2, 4, 16, 1024])
def test_best_of_n_divergence_by_integration(samples):
    """The best of n uniforms has density n·u^(n−1)."""

    def integrand(u):
        density = samples * u ** (samples - 1)
        return density * math.log(density) if density > 0 else 0.0

    area, _ = quad(integrand, 0, 1, limit=500)
    assert capability.best_of_n_kl(samples) == pytest.approx(area, abs=1e-7)


@pure
@given(st.floats(0.1, 5), st.floats(0.05, 2))
def test_overoptimisation_peaks_where_its_slope_is_zero(slope, decay):
    best = slope / (2 * decay)
    top = capability.best_of_n_gold(best, slope, decay)
    assert top == pytest.approx(slope**2 / (4 * decay))
    for factor in (0.9, 1.1):
        assert capability.best_of_n_gold(best * factor, slope, decay) < top


# Ratings.


@pure
@given(st.integers(2, 6), seeds)
def test_bradley_terry_expects_the_wins_that_it_saw(size, seed):
    rng = stream(seed, "wins")
    wins = rng.integers(0, 5, (size, size)).astype(float)
    wins += np.eye(size, k=1) + np.eye(size, k=1 - size)
    np.fill_diagonal(wins, 0.0)
    strengths = ratings.bradley_terry(wins)
    assert strengths.mean() == pytest.approx(0.0, abs=1e-9)
    chance = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    expected = ((wins + wins.T) * chance).sum(axis=1) - np.diag(chance) * np.diag(wins)
    np.testing.assert_allclose(expected, wins.sum(axis=1), rtol=1e-5)
    order = rng.permutation(size)
    moved = ratings.bradley_terry(wins[np.ix_(order, order)])
    np.testing.assert_allclose(moved, strengths[order], atol=1e-6)


def test_bradley_terry_recovers_strengths_from_expected_wins():
    strengths = np.array([-1.5, -0.2, 0.3, 1.4])
    wins = 100 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    np.fill_diagonal(wins, 0.0)
    np.testing.assert_allclose(ratings.bradley_terry(wins), strengths, atol=1e-7)


def test_bradley_terry_names_the_groups_without_a_chain_of_wins():
    wins = np.zeros((5, 5))
    wins[0, 2] = wins[2, 0] = wins[1, 3] = wins[3, 1] = 1.0
    wins[0, 1] = wins[4, 0] = 3.0
    with pytest.raises(ValueError, match=r"wins: .*\[\[0, 2\], \[1, 3\], \[4\]\]"):
        ratings.bradley_terry(wins)
    with pytest.raises(ValueError, match="player 1"):
        ratings.bradley_terry([[0, 1], [1, 2]])


# Graders.

grade_lists = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([0.0, 0.3, 0.5, 1.0, math.nan]), st.floats(0, 1)), st.booleans()
    ),
    max_size=14,
)


def _columns(pairs):
    return np.array([g for g, _ in pairs]), np.array([v for _, v in pairs], dtype=bool)


def _same(got, expected):
    return got == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@pure
@given(grade_lists, st.floats(0, 1))
def test_grader_measures_plainly(pairs, threshold):
    grades, verdicts = _columns(pairs)
    given_grades = [(g, v) for g, v in pairs if not math.isnan(g)]
    right = [g for g, v in given_grades if v]
    wrong = [g for g, v in given_grades if not v]
    rates = grader_rates(grades, verdicts, threshold)
    tpr = sum(g >= threshold for g in right) / len(right) if right else math.nan
    fpr = sum(g >= threshold for g in wrong) / len(wrong) if wrong else math.nan
    assert _same(rates.tpr, tpr)
    assert _same(rates.fpr, fpr)
    assert _same(rates.youden_j, tpr - fpr)
    if fpr > 0:
        assert _same(rates.likelihood_ratio, tpr / fpr)
    else:
        assert _same(rates.likelihood_ratio, math.inf if tpr > 0 and fpr == 0 else math.nan)
    wins = [(a > b) + (a == b) / 2 for a in right for b in wrong]
    assert _same(auc(grades, verdicts), sum(wins) / len(wins) if wins else math.nan)
    squares = [(g - v) ** 2 for g, v in given_grades]
    squared = sum(squares) / len(squares) if squares else math.nan
    assert _same(brier(grades, verdicts), squared)
    gap = 0.0
    for b in range(10):
        members = [(g, v) for g, v in given_grades if min(int(g * 10), 9) == b]
        if members:
            share = sum(v for _, v in members) / len(members)
            mean = sum(g for g, _ in members) / len(members)
            gap += len(members) / len(given_grades) * abs(share - mean)
    assert _same(calibration_error(grades, verdicts), gap if given_grades else math.nan)


def test_a_perfect_grader_and_a_coin():
    verdicts = np.array([True, False, True, False])
    perfect = verdicts.astype(float)
    assert grader_rates(perfect, verdicts, 0.5) == (1.0, 0.0, math.inf, 1.0)
    assert auc(perfect, verdicts) == 1.0
    assert auc(1 - perfect, verdicts) == 0.0
    assert brier(perfect, verdicts) == 0.0
    coin = np.full(4, 0.5)
    assert auc(coin, verdicts) == 0.5
    assert brier(coin, verdicts) == 0.25
    assert calibration_error(coin, verdicts) == 0.0


def test_verdicts_spread_over_graders():
    grades = np.array([[0.9, 0.1, math.nan], [0.4, 0.6, 0.2]])
    verdicts = np.array([True, False, False])
    rates = grader_rates(grades, verdicts, 0.5)
    assert rates.tpr == 0.5
    assert rates.fpr == pytest.approx(1 / 3)


def test_errors_correlate_on_wrong_answers_only():
    rng = stream(0, "grades")
    verdicts = np.arange(40) % 2 == 0
    shared = rng.random(40)
    clones = np.stack([shared, shared, shared])
    assert error_correlation(clones, verdicts) == pytest.approx(1.0)
    assert error_correlation(clones, verdicts, threshold=0.5) == pytest.approx(1.0)
    agree_on_right_only = np.where(verdicts, 0.9, rng.random((2, 40)))
    wrong = agree_on_right_only[:, ~verdicts]
    expected = np.corrcoef(wrong)[0, 1]
    assert error_correlation(agree_on_right_only, verdicts) == pytest.approx(expected)
    # Pairs without two shared wrong answers, or with grades all alike, are left out.
    holes = np.stack([shared, shared, np.full(40, math.nan), np.full(40, 0.5)])
    assert error_correlation(holes, verdicts) == pytest.approx(1.0)
    assert math.isnan(error_correlation(clones[:1], verdicts))
    assert math.isnan(error_correlation(clones, np.ones(40, dtype=bool)))


@pure
@given(st.integers(1, 20), st.floats(0, 1))
def test_effective_graders_lie_between_one_and_all(graders, correlation):
    got = effective_graders(graders, correlation)
    assert 1 - 1e-12 <= got <= graders + 1e-12


def test_effective_graders_at_the_edges():
    assert effective_graders(5, 1.0) == 1.0
    assert effective_graders(5, 0.0) == 5.0
    assert effective_graders(3, -0.5) == math.inf
    assert math.isnan(effective_graders(5, math.nan))
    with pytest.raises(ValueError, match="correlation: "):
        effective_graders(5, 1.2)


def test_bad_grades_are_refused():
    with pytest.raises(ValueError, match="grades: "):
        brier([1.2], [True])
    with pytest.raises(ValueError, match="verdicts: expected booleans"):
        brier([0.2], [1])
    with pytest.raises(ValueError, match="verdicts: expected one per answer"):
        brier([0.2, 0.3], [True])


def test_what_is_left_out_is_a_whole_cluster():
    clusters = np.repeat(np.arange(30.0)[:, None], 8, axis=1)

    def mean_of_whole_clusters(values):
        assert np.all(values == values[:, :1])
        return float(values.mean())

    of = spread_of_any(clusters, mean_of_whole_clusters)
    # As wide as 30 clusters make it, not 240 values.
    assert of.error == pytest.approx(clusters[:, 0].std(ddof=1) / math.sqrt(30))
    assert of == spread(clusters.mean(axis=1))


def test_groups_that_are_left_out_tell_nearly_the_same():
    values = stream(0, "groups").normal(size=4000)
    each = values.std(ddof=1) / math.sqrt(4000)
    assert spread_of_any(values, np.mean, 100).error == pytest.approx(each, rel=0.3)


def test_a_statistic_that_is_nan_has_no_error():
    assert math.isnan(spread_of_any(np.ones(3), lambda _: math.nan).error)
    assert math.isnan(spread_of_any(np.zeros(0), np.mean).value)
    assert spread_of_any(np.ones(3), np.mean).error == 0.0
