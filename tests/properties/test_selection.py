"""Selection operators: invariants, bad input, and slow plain versions."""

# SPDX-License-Identifier: Apache-2.0

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.moran import sample_events
from mgptn.population.breeding.operators import (
    OPERATORS,
    replication_rates,
    soft_select,
    survival_probability,
)
from mgptn.population.breeding.wright_fisher import sample_parents
from mgptn.population.draws.streams import stream
from tests.reference.population.breeding.moran import sample_events_plainly

pure = settings(deadline=None, max_examples=80)

levels = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-1e4, 1e4, allow_nan=False, allow_subnormal=False),
    st.just(-math.inf),
)
fitnesses = st.lists(levels, min_size=1, max_size=12).map(np.array)
temperatures = st.one_of(
    st.floats(1e-6, 1e6), st.sampled_from([5e-324, 1e-6, 1.0, 1e300, 1.7e308, math.inf])
)
operators = st.sampled_from(sorted(OPERATORS))
every_operator = pytest.mark.parametrize("name", sorted(OPERATORS))


def test_operators_are_named_as_in_a_configuration():
    assert set(OPERATORS) == {
        "softmax",
        "proportional",
        "linear-rank",
        "truncation",
        "k-tournament",
    }


@pure
@given(operators, fitnesses, temperatures)
@example("softmax", np.array([0.0, 1e4]), 1e-6)
@example("proportional", np.array([0.0, 0.0, 0.0]), 1e-6)
@example("proportional", np.array([-1e308, 1e308]), 1.0)
@example("proportional", np.array([-math.inf, 2.0, 2.0]), 5e-324)
def test_rates_are_finite_with_mean_one(name, fitness, temperature):
    rates = OPERATORS[name](fitness, temperature)
    assert rates.dtype == np.float64
    assert rates.shape == fitness.shape
    assert np.all((rates >= 0.0) & np.isfinite(rates))
    assert rates.mean() == pytest.approx(1.0, rel=1e-13)


@pure
@given(operators, fitnesses, temperatures)
@example("k-tournament", np.arange(12.0), 1e14)
@example("k-tournament", np.array([-math.inf, 0.0, 0.0, -math.inf, -math.inf]), 1e300)
def test_fitter_never_gets_less_and_equals_get_the_same(name, fitness, temperature):
    rates = OPERATORS[name](fitness, temperature)
    for i, j in itertools.combinations(range(fitness.size), 2):
        if fitness[i] == fitness[j]:
            assert rates[i] == rates[j]
        else:
            low, high = (i, j) if fitness[i] < fitness[j] else (j, i)
            assert rates[low] <= rates[high]


@pure
@given(operators, st.integers(1, 9), levels, temperatures)
def test_equal_fitness_is_exactly_neutral(name, size, level, temperature):
    assert np.array_equal(OPERATORS[name](np.full(size, level), temperature), np.ones(size))


@pure
@given(operators, fitnesses)
def test_infinite_temperature_is_exactly_neutral(name, fitness):
    assert np.array_equal(OPERATORS[name](fitness, math.inf), np.ones(fitness.size))


@pure
@given(operators, st.lists(st.integers(-9, 9), min_size=1, max_size=9))
def test_high_temperature_goes_to_neutral(name, fitness):
    np.testing.assert_allclose(OPERATORS[name](fitness, 1e12), 1.0, atol=1e-9)


@pure
@given(operators, st.lists(st.integers(-9, 9), min_size=2, max_size=9))
def test_low_temperature_is_the_strongest_selection(name, fitness):
    values = np.array(fitness, dtype=float)
    cold = OPERATORS[name](values, 1e-9)
    best = values == values.max()
    if name in ("softmax", "truncation", "k-tournament"):
        np.testing.assert_allclose(cold, np.where(best, values.size / best.sum(), 0.0), atol=1e-6)
    elif not best.all():
        assert cold[values == values.min()].min() < cold[best].min()
    if name == "proportional" and not best.all():
        assert cold[values == values.min()].max() < 1e-6


@pure
@given(operators, fitnesses, st.floats(1e-3, 1e3), st.floats(1.0, 100.0))
def test_the_best_gains_as_it_cools(name, fitness, temperature, factor):
    best = fitness.argmax()
    cool = OPERATORS[name](fitness, temperature)[best]
    warm = OPERATORS[name](fitness, temperature * factor)[best]
    assert warm <= cool * (1.0 + 1e-12)


@pure
@given(operators, fitnesses, temperatures, st.randoms(use_true_random=False))
def test_relabelling_agents_relabels_rates(name, fitness, temperature, random):
    order = list(range(fitness.size))
    random.shuffle(order)
    moved = OPERATORS[name](fitness[order], temperature)
    np.testing.assert_allclose(moved, OPERATORS[name](fitness, temperature)[order], rtol=1e-12)


@pure
@given(operators, st.lists(st.integers(-9, 9), min_size=1, max_size=9), st.integers(-99, 99))
def test_only_differences_of_fitness_count(name, fitness, shift):
    values = np.array(fitness, dtype=float)
    moved = OPERATORS[name](values + shift, 0.7)
    np.testing.assert_allclose(moved, OPERATORS[name](values, 0.7), rtol=1e-12)


@every_operator
def test_minus_infinity_gets_the_least(name):
    rates = OPERATORS[name]([-math.inf, 0.0, 1.0], 0.5)
    assert rates[0] <= rates[1] <= rates[2]
    assert rates[0] < rates[2]
    if name in ("softmax", "proportional"):
        assert rates[0] == 0.0


@every_operator
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_bad_fitness_is_refused_with_the_agents_index(name, bad):
    with pytest.raises(ValueError, match=r"fitness: .*agent 2"):
        OPERATORS[name]([0.0, 1.0, bad, 3.0], 1.0)


@every_operator
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, -math.inf])
def test_bad_temperature_is_refused_by_name(name, bad):
    with pytest.raises(ValueError, match="selection_temperature: expected"):
        OPERATORS[name]([0.0, 1.0], bad)


@every_operator
@pytest.mark.parametrize("bad", [[], [[1.0]], 1.0])
def test_no_population_is_refused(name, bad):
    with pytest.raises(ValueError, match="expected one per agent"):
        OPERATORS[name](bad, 1.0)


# Slow plain versions.


@pure
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=8), st.floats(0.1, 10.0))
def test_softmax_plainly(fitness, temperature):
    weights = [math.exp(f / temperature) for f in fitness]
    plain = [w * len(weights) / math.fsum(weights) for w in weights]
    np.testing.assert_allclose(replication_rates(fitness, temperature), plain, rtol=1e-12)


@pure
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=8), st.floats(1e-3, 10.0))
def test_proportional_plainly(fitness, temperature):
    weights = [f - min(fitness) + temperature for f in fitness]
    plain = [w * len(weights) / math.fsum(weights) for w in weights]
    rates = OPERATORS["proportional"](fitness, temperature)
    np.testing.assert_allclose(rates, plain, rtol=1e-10)


@pure
@given(st.permutations(range(6)), st.floats(1e-3, 10.0))
def test_linear_rank_plainly(fitness, temperature):
    best = 1.0 + 1.0 / (1.0 + temperature)
    plain = [(2.0 - best) + (2.0 * best - 2.0) * rank / 5.0 for rank in fitness]
    rates = OPERATORS["linear-rank"](fitness, temperature)
    np.testing.assert_allclose(rates, plain, rtol=1e-12)


def test_linear_rank_averages_ties():
    rates = OPERATORS["linear-rank"]([1.0, 5.0, 5.0, 9.0], 1.0)
    np.testing.assert_allclose(rates, [0.5, 1.0, 1.0, 1.5], rtol=1e-15)


def test_truncation_by_hand():
    cut = OPERATORS["truncation"]
    np.testing.assert_allclose(cut([4, 3, 2, 1], 1.0), [2, 2, 0, 0])
    np.testing.assert_allclose(cut([4, 3, 2, 1], 1e-9), [4, 0, 0, 0])
    np.testing.assert_allclose(cut([4, 3, 3, 1], 1.0), [2, 1, 1, 0])
    np.testing.assert_allclose(cut([1, 2, 3], 1.0), [0, 1, 2])
    np.testing.assert_allclose(cut([7, 7, 1], 1e-9), [1.5, 1.5, 0])


@pure
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda f: np.array(f, dtype=float)),
    st.integers(1, 4),
)
def test_k_tournament_by_enumeration(fitness, k):
    size = fitness.size
    plain = np.zeros(size)
    for entrants in itertools.product(range(size), repeat=k):
        best = fitness[list(entrants)].max()
        winners = np.flatnonzero(fitness == best)
        plain[winners] += 1.0 / winners.size
    plain *= size / size**k
    # k = 1 + 1/T; a single entrant is neutral.
    temperature = math.inf if k == 1 else 1.0 / (k - 1)
    rates = OPERATORS["k-tournament"](fitness, temperature)
    np.testing.assert_allclose(rates, plain, rtol=1e-12, atol=1e-15)


# Soft selection.


@pure
@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(-5, 5)), min_size=1, max_size=6),
    st.floats(0.2, 20.0),
    st.integers(0, 6),
)
def test_rounds_at_one_temperature_equal_one_round_at_a_lower(kinds, temperature, rounds):
    weights = np.array([weight for weight, _ in kinds], dtype=float) + np.eye(len(kinds))[0]
    shares = weights / weights.sum()
    rewards = np.array([reward for _, reward in kinds])
    at_once = soft_select(shares, rewards, temperature, rounds)
    step_by_step = shares
    for _ in range(rounds):
        survivors = step_by_step * survival_probability(rewards, temperature)
        step_by_step = survivors / survivors.sum()
    np.testing.assert_allclose(at_once, step_by_step, rtol=1e-9)
    assert at_once.sum() == pytest.approx(1.0, rel=1e-14)
    if rounds:
        np.testing.assert_allclose(at_once, soft_select(shares, rewards, temperature / rounds, 1))


@pure
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.floats(0.2, 5.0))
def test_soft_selection_maximises_reward_less_divergence(rewards, temperature):
    prior = np.array([0.5, 0.3, 0.2])

    def objective(policy):
        divergence = np.sum(policy * np.log(policy / prior))
        return policy @ np.array(rewards) - temperature / 2 * divergence

    best = soft_select(prior, rewards, temperature, 2)
    others = stream(1, "policies").dirichlet(np.ones(3), size=20)
    assert all(objective(best) >= objective(other) - 1e-9 for other in others)


def test_soft_selection_keeps_scale_by_the_best_that_is_present():
    chosen = soft_select([0.0, 0.5, 0.5], [1e6, 0.0, 1.0], 1.0, 1)
    np.testing.assert_allclose(chosen, [0.0, 1 / (1 + math.e), math.e / (1 + math.e)])


def test_soft_selection_refuses_what_leaves_nothing():
    with pytest.raises(ValueError, match="rewards: "):
        soft_select([0.0, 1.0], [1.0, -math.inf], 1.0, 1)
    with pytest.raises(ValueError, match=r"probabilities: .*sum to one"):
        soft_select([0.5, 0.6], [1.0, 1.0], 1.0, 1)


# From rates to parents.

rate_vectors = st.lists(
    st.one_of(st.just(0.0), st.floats(0.0, 1e9), st.floats(1e-300, 1e-290)), min_size=1, max_size=20
).map(lambda rates: np.array([*rates, 1.0]))


@pure
@given(rate_vectors, st.integers(0, 10**6), st.sampled_from(["multinomial", "systematic"]))
def test_parents_fill_every_slot_and_have_a_rate(rates, seed, resampling):
    parents = sample_parents(rates, stream(seed, "births"), resampling)
    assert parents.dtype == np.int64
    assert parents.shape == rates.shape
    assert np.all(rates[parents] > 0.0)


@pure
@given(rate_vectors, st.integers(0, 10**6))
def test_systematic_offspring_numbers_are_expectations_rounded(rates, seed):
    expected = rates / rates.mean()
    parents = sample_parents(rates, stream(seed, "births"), "systematic")
    counts = np.bincount(parents, minlength=rates.size)
    assert np.all(counts >= np.floor(expected - 1e-9))
    assert np.all(counts <= np.ceil(expected + 1e-9))


class _Extreme:
    """A generator whose uniforms are the least or the greatest possible."""

    def __init__(self, value):
        self.value = value

    def random(self, size=None):
        return self.value if size is None else np.full(size, self.value)


@pytest.mark.parametrize("quantile", [0.0, 1.0 - 2.0**-53])
@pytest.mark.parametrize("resampling", ["multinomial", "systematic"])
def test_zero_rates_have_no_offspring_at_the_edges(quantile, resampling):
    rates = np.array([0.0, 0.1, 0.0, 0.3, 0.7, 0.0])
    parents = sample_parents(rates, _Extreme(quantile), resampling)
    assert np.all(rates[parents] > 0.0)


@pure
@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 8.0, 64.0]), max_size=20),
    st.integers(0, 60),
    st.integers(0, 10**6),
)
def test_moran_events_fast_and_plain_are_the_same(rates, events, seed):
    # Powers of two add without rounding, so that the two sums agree to the last bit.
    rates = [1.0, *rates]
    fast = sample_events(rates, events, stream(seed, "births"))
    plain = sample_events_plainly(rates, events, stream(seed, "births"))
    assert np.array_equal(fast.parents, plain.parents)
    assert np.array_equal(fast.deaths, plain.deaths)


@pure
@given(rate_vectors, st.integers(0, 80), st.integers(0, 10**6))
def test_moran_parents_are_alive_and_have_a_rate(rates, events, seed):
    parents, deaths = sample_events(rates, events, stream(seed, "births"))
    assert parents.shape == deaths.shape == (events,)
    assert parents.dtype == deaths.dtype == np.int64
    living = rates.copy()
    for parent, death in zip(parents, deaths, strict=True):
        assert 0 <= death < rates.size
        assert living[parent] > 0.0
        living[death] = living[parent]


def test_moran_rates_that_are_gone_leave_no_rounding_behind():
    """After a rate of 1e16 has died, two of 1 must still share births evenly."""
    rates = np.array([1e16, 1.0, 1.0])
    for seed in range(400):
        parents, deaths = sample_events(rates, 8, stream(seed, "births"))
        plain = sample_events_plainly(rates, 8, stream(seed, "births"))
        assert np.array_equal(parents, plain.parents)
        assert np.array_equal(deaths, plain.deaths)


def test_an_argument_of_sampling_is_named():
    rng = stream(0, "births")
    with pytest.raises(ValueError, match=r"rates: .*agent 1"):
        sample_parents([1.0, math.nan], rng)
    with pytest.raises(ValueError, match=r"rates: .*above 0"):
        sample_events([0.0, 0.0], 3, rng)
    with pytest.raises(ValueError, match="events: "):
        sample_events([1.0], -1, rng)
    with pytest.raises(ValueError, match="resampling: "):
        sample_parents([1.0], rng, "roulette")
