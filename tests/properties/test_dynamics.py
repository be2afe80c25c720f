"""Dynamics: iterative classification, exact fixation, quasispecies, Price."""

# SPDX-License-Identifier: Apache-2.0

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding import moran, wright_fisher
from mgptn.population.draws.streams import stream
from mgptn.population.measures.price import price
from mgptn.population.theory import classification, quasispecies
from tests.reference.population.theory.classification import lock_threshold
from tests.reference.population.theory.quasispecies import quasispecies_step

pure = settings(deadline=None, max_examples=80)

inner = st.floats(0.01, 0.99)
seeds = st.integers(0, 10**6)

# Iterative classification.


@pure
@given(inner, inner, inner, st.integers(0, 30))
def test_odds_fall_by_the_likelihood_ratio_every_round(error, tpr, fpr, rounds):
    trajectory = classification.error_trajectory(error, tpr, fpr, rounds)
    assert trajectory.shape == (rounds + 1,)
    odds = error / (1 - error) * (fpr / tpr) ** np.arange(rounds + 1)
    np.testing.assert_allclose(trajectory, odds / (1 + odds), rtol=1e-9)
    assert (trajectory[-1] < error) == (rounds > 0 and tpr > fpr) or abs(tpr - fpr) < 1e-12


@pure
@given(inner, inner, inner, inner)
def test_rounds_to_error_are_those_that_the_recurrence_takes(error, target, tpr, fpr):
    rounds = classification.rounds_to_error(error, target, tpr, fpr)
    if target >= error:
        assert rounds == 0.0
    elif tpr <= fpr:
        assert rounds == math.inf
    elif rounds < 500:
        trajectory = classification.error_trajectory(error, tpr, fpr, math.ceil(rounds) + 1)
        assert trajectory[math.ceil(rounds)] <= target * (1 + 1e-9)
        assert trajectory[math.ceil(rounds) - 1] >= target * (1 - 1e-9)


def test_rounds_to_error_at_the_edges():
    assert classification.rounds_to_error(0.5, 0.1, 0.8, 0.0) == 0.0
    assert classification.rounds_to_error(1.0, 0.1, 0.8, 0.0) == math.inf
    assert classification.rounds_to_error(0.5, 0.0, 0.8, 0.2) == math.inf
    assert classification.rounds_to_error(0.5, 0.1, 0.0, 0.0) == math.inf
    assert classification.error_trajectory(0.5, 0.0, 0.0, 2).tolist() == [0.5, 0.5, 0.5]
    assert classification.error_trajectory(0.5, 1.0, 0.0, 2).tolist() == [0.5, 0.0, 0.0]


def test_nothing_accepted_has_no_error():
    with pytest.raises(ValueError, match="append rate > 0"):
        classification.filtered_error(0.5, 0.0, 0.0)
    with pytest.raises(ValueError, match=r"tpr: .*1\.5"):
        classification.append_rate(0.5, 1.5, 0.0)


@pure
@given(st.lists(inner, min_size=1, max_size=5), st.integers(0, 40), st.data())
def test_posterior_error_by_bayes_rule(skills, shots, data):
    errors = data.draw(st.integers(0, shots))
    prior = [Fraction(1, len(skills))] * len(skills)
    exact = [Fraction(skill) for skill in skills]
    weights = [
        p * e**errors * (1 - e) ** (shots - errors) for p, e in zip(prior, exact, strict=True)
    ]
    plain = sum(w * e for w, e in zip(weights, exact, strict=True)) / sum(weights)
    got = classification.posterior_error(skills, [float(p) for p in prior], shots, errors)
    assert got == pytest.approx(float(plain), rel=1e-10)
    assert min(skills) * (1 - 1e-12) <= got <= max(skills) * (1 + 1e-12)


def test_posterior_error_with_a_huge_context_and_certain_skills():
    assert classification.posterior_error([0.2, 0.6], [0.5, 0.5], 10**6, 200_000) == pytest.approx(
        0.2
    )
    assert classification.posterior_error([0.0, 1.0], [0.5, 0.5], 3, 3) == 1.0
    with pytest.raises(ValueError, match=r"skills: .*explains"):
        classification.posterior_error([0.0, 1.0], [0.5, 0.5], 3, 1)


@pytest.mark.parametrize(("error", "lower"), [(0.3, 0.05), (0.6, 0.3), (0.9, 0.6)])
def test_the_error_locks_below_the_threshold_and_escapes_above(error, lower):
    threshold = lock_threshold(error, lower)
    for ratio, settled in ((0.98 * threshold, error), (1.02 * threshold, lower)):
        wrong = classification.filtered_error(error, 0.9, 0.9 / ratio)
        learned = classification.posterior_error([lower, error], [0.5, 0.5], 10**5, wrong * 10**5)
        assert learned == pytest.approx(settled, abs=1e-6)


@pure
@given(st.integers(1, 8), st.integers(1, 6), inner)
def test_a_jury_at_the_unanimity_boundary_reaches_the_target(graders, rounds, error):
    tpr, fpr = 0.8, 0.5
    target = classification.error_trajectory(error, tpr**graders, fpr**graders, rounds)[-1]
    boundary = classification.unanimity_boundary(error, target, rounds, tpr, fpr)
    assert boundary == pytest.approx(graders, rel=1e-9)


# Fixation.


@pure
@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 30), st.data())
def test_moran_fixation_in_exact_arithmetic(size, above, below, data):
    mutants = data.draw(st.integers(0, size))
    ratio = Fraction(above, below)
    if above == below:
        exact = Fraction(mutants, size)
    else:
        exact = (1 - ratio**-mutants) / (1 - ratio**-size)
    got = moran.fixation_probability(float(ratio), size, mutants)
    # float(above/below) is rounded by 2^-53, and the answer amplifies that at most N-fold.
    assert got == pytest.approx(float(exact), rel=1e-13 * (size + 1))


@pure
@given(st.floats(0.3, 3.0), st.integers(2, 30))
def test_moran_fixation_from_its_chain(relative_fitness, size):
    """The chain with deaths among all slots, the parent's own included."""
    chain = np.zeros((size + 1, size + 1))
    for i in range(1, size):
        birth = relative_fitness * i / (relative_fitness * i + size - i)
        chain[i, i + 1] = birth * (size - i) / size
        chain[i, i - 1] = (1 - birth) * i / size
        chain[i, i] = 1 - chain[i, i + 1] - chain[i, i - 1]
    inside = chain[1:-1, 1:-1]
    plain = np.linalg.solve(np.eye(size - 1) - inside, chain[1:-1, -1])
    got = moran.fixation_probability(relative_fitness, size)
    assert got == pytest.approx(plain[0], rel=1e-8, abs=1e-13)


def test_moran_fixation_is_continuous_and_never_overflows():
    size = 10**6
    neutral = moran.fixation_probability(1.0, size)
    assert neutral == 1e-6
    for step in (1e-9, 1e-12, 2.3e-16):
        # ρ = (1/N)·(1 + (N−1)·s/2 + …)
        for relative_fitness in (1.0 + step, 1.0 - step):
            slope = (relative_fitness - 1.0) * (size - 1) / 2
            got = moran.fixation_probability(relative_fitness, size)
            assert got / neutral == pytest.approx(1 + slope, rel=max(slope**2, 1e-12))
    assert moran.fixation_probability(0.5, size) == 0.0
    assert moran.fixation_probability(1e-308, 2) == pytest.approx(1e-308)
    assert moran.fixation_probability(1e308, size) == 1.0
    assert moran.fixation_probability(3.0, 1) == 1.0


@pure
@given(st.floats(0.5, 2.0), st.integers(1, 140))
def test_wright_fisher_fixation_by_plain_linear_algebra(relative_fitness, size):
    got = wright_fisher.fixation_probability(relative_fitness, size)
    if size == 1:
        assert got == 1.0
        return
    chain = wright_fisher.transition_matrix(relative_fitness, size)
    np.testing.assert_allclose(chain.sum(axis=1), 1.0, rtol=1e-11)
    plain = np.linalg.solve(np.eye(size - 1) - chain[1:-1, 1:-1], chain[1:-1, -1])
    # The plain solution loses the digits of tiny probabilities; state reduction does not.
    assert got == pytest.approx(plain[0], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("size", [2, 3, 64, 65, 66, 129, 300])
def test_wright_fisher_neutral_fixation_is_one_in_n(size):
    assert wright_fisher.fixation_probability(1.0, size) == pytest.approx(1 / size, rel=1e-10)


def test_wright_fisher_keeps_the_digits_of_tiny_probabilities():
    """Against the chain solved with 30 digits."""
    got = wright_fisher.fixation_probability(0.8, 60)
    assert got == pytest.approx(1.3756346852199085604e-12, rel=1e-11)


def test_wright_fisher_fixes_about_twice_as_often_as_moran():
    ratio = wright_fisher.fixation_probability(1.02, 400) / moran.fixation_probability(1.02, 400)
    assert 1.9 < ratio < 2.0


@pytest.mark.parametrize("module", [moran, wright_fisher])
def test_bad_arguments_of_fixation_are_named(module):
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="relative_fitness: "):
            module.fixation_probability(bad, 10)
    with pytest.raises(ValueError, match="size: "):
        module.fixation_probability(1.0, 0)


# Quasispecies.


def _mutation(size, seed):
    return stream(seed, "mutation").dirichlet(np.ones(size), size=size).T


@pure
@given(st.integers(1, 7), seeds)
def test_the_stationary_cloud_grows_without_changing(size, seed):
    mutation = _mutation(size, seed)
    fitness = stream(seed, "fitness").uniform(0.1, 5.0, size)
    growth, cloud = quasispecies.quasispecies_stationary(mutation, fitness)
    assert cloud.sum() == pytest.approx(1.0)
    after = quasispecies_step(mutation, fitness, cloud)
    np.testing.assert_allclose(after, growth * cloud, rtol=1e-8, atol=1e-12)
    assert growth == pytest.approx(fitness @ cloud)


def test_mutation_is_to_by_from():
    asymmetric = np.array([[1.0, 0.3], [0.0, 0.7]])
    after = quasispecies_step(asymmetric, [2.0, 1.0], [1.0, 10.0])
    np.testing.assert_allclose(after, [2.0 + 3.0, 7.0])
    with pytest.raises(ValueError, match=r"mutation: .*columns"):
        quasispecies.quasispecies_stationary(asymmetric.T, [2.0, 1.0])


def _hamming_plainly(superiority, length, error_rate):
    """Power iteration over Hamming classes: sums of positive numbers, so every digit is kept."""
    classes = range(length + 1)
    mutation = np.zeros((length + 1, length + 1))
    for d, back in itertools.product(classes, classes):
        for forth in range(length - d + 1):
            if back <= d:
                chance = math.comb(d, back) * math.comb(length - d, forth)
                flips = back + forth
                chance *= error_rate**flips * (1 - error_rate) ** (length - flips)
                mutation[d - back + forth, d] += chance
    fitness = np.ones(length + 1)
    fitness[0] = superiority
    step = mutation * fitness
    # Squaring doubles the number of generations: 2^40 of them.
    for _ in range(40):
        step = step @ step
        step /= step.max()
    cloud = step.sum(axis=1) / step.sum()
    return 1 + (superiority - 1) * cloud[0], cloud[0]


@pure
@given(st.floats(1.01, 50.0), st.integers(1, 25), st.floats(1e-3, 0.5))
def test_hamming_cloud_by_power_iteration(superiority, length, error_rate):
    got = quasispecies.hamming_stationary(superiority, length, error_rate)
    growth, master = _hamming_plainly(superiority, length, error_rate)
    assert got.growth == pytest.approx(growth, rel=1e-9)
    assert got.master == pytest.approx(master, rel=1e-9)


def test_hamming_cloud_over_all_sequences():
    length, error_rate, superiority = 5, 0.07, 6.0
    site = np.array([[1 - error_rate, error_rate], [error_rate, 1 - error_rate]])
    mutation = np.ones((1, 1))
    for _ in range(length):
        mutation = np.kron(mutation, site)
    fitness = np.ones(2**length)
    fitness[0] = superiority
    growth, cloud = quasispecies.quasispecies_stationary(mutation, fitness)
    got = quasispecies.hamming_stationary(superiority, length, error_rate)
    assert got.growth == pytest.approx(growth, rel=1e-12)
    assert got.master == pytest.approx(cloud[0], rel=1e-12)


def test_hamming_cloud_just_above_the_threshold_in_60_digits():
    """Eigenvectors in double precision lose this share; the value is from 60-digit arithmetic."""
    got = quasispecies.hamming_stationary(10, 50, 0.046)
    assert got.master == pytest.approx(2.1209863913566998e-14, rel=1e-11)
    assert got.growth - 1 == pytest.approx(9 * 2.1209863913566998e-14, rel=2e-3)


def test_hamming_cloud_at_the_edges():
    assert quasispecies.hamming_stationary(10, 50, 0.0) == pytest.approx((10.0, 1.0), rel=1e-12)
    uniform = quasispecies.hamming_stationary(10, 50, 0.5)
    assert uniform.master == pytest.approx(2.0**-50, rel=1e-10)
    assert quasispecies.hamming_stationary(1, 50, 0.1) == pytest.approx((1.0, 2.0**-50))
    lost = quasispecies.hamming_stationary(10, 200, 0.02)
    assert 2.0**-200 < lost.master < 2.0**-195
    kept = quasispecies.hamming_stationary(10, 200, 0.005)
    assert 0.2 < kept.master < 0.4


@pure
@given(st.floats(1.5, 50.0), st.integers(20, 200))
def test_the_master_is_lost_at_the_error_threshold(superiority, length):
    threshold = quasispecies.error_threshold(superiority, length)
    assert superiority * (1 - threshold) ** length == pytest.approx(1.0)
    kept = quasispecies.hamming_stationary(superiority, length, threshold * 0.8).master
    lost = quasispecies.hamming_stationary(superiority, length, threshold * 1.2).master
    assert kept > 10 * lost
    # Without back mutation the master's share is (σQ − 1)/(σ − 1); with it, more.
    faithful = (1 - threshold * 0.8) ** length
    assert kept >= (superiority * faithful - 1) / (superiority - 1)


# Price.


@pure
@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), seeds)
def test_price_accounts_for_the_whole_change(counts, seed):
    offspring = np.array([1, *counts])
    rng = stream(seed, "traits")
    parents = rng.normal(size=offspring.size)
    # Every child has a trait of its own; the equation sees the mean of each family.
    families = [parents[i] + rng.normal(size=k) for i, k in enumerate(offspring)]
    family_means = [family.mean() if family.size else math.nan for family in families]
    terms = price(offspring, parents, family_means)
    change = np.concatenate(families).mean() - parents.mean()
    assert terms.total == pytest.approx(change, abs=1e-12)
    weights = offspring / offspring.mean()
    assert terms.selection == pytest.approx(np.mean(weights * parents) - parents.mean(), abs=1e-12)


def test_price_sees_no_selection_without_differences_in_offspring():
    terms = price([2, 2, 2], [1.0, 5.0, 9.0], [2.0, 6.0, 10.0])
    assert terms.selection == pytest.approx(0.0, abs=1e-15)
    assert terms.transmission == pytest.approx(1.0)
    with pytest.raises(ValueError, match=r"offspring: .*not all zero"):
        price([0, 0], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="offspring_values: "):
        price([1, 0], [1, 2], [math.nan, 2])
