"""Descent and independence against all that can happen, enumerated, in small populations."""

# SPDX-License-Identifier: Apache-2.0

import math
from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from mgptn.population.theory import descent

pure = settings(deadline=None, max_examples=60)

probabilities = st.floats(0, 1)
inner = st.floats(0.01, 0.99)
sizes = st.integers(1, 4)


@st.composite
def samples(draw, most=4):
    size = draw(st.integers(1, most))
    return size, draw(st.integers(1, size))


@pure
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any))
def test_two_children_and_all_their_parents(weights):
    total = sum(weights)
    pairs = product(range(len(weights)), repeat=2)
    exact = sum(Fraction(weights[i] * weights[j], total**2) for i, j in pairs if i == j)
    found = descent.coalescence_probability(weights)
    assert found == pytest.approx(float(exact), rel=1e-12)
    spread = np.var(weights) / np.mean(weights) ** 2
    assert found == pytest.approx((1 + spread) / len(weights))
    assert 1 / len(weights) <= found * (1 + 1e-12)
    assert descent.coalescence_probability(np.array(weights) * 1e300) == pytest.approx(found)


def parents(size, lineages):
    """Of each number of distinct parents, its probability, by all ways of choosing them."""
    ways = Counter(len(set(chosen)) for chosen in product(range(size), repeat=lineages))
    return {k: Fraction(n, size**lineages) for k, n in ways.items()}


@pure
@given(samples())
def test_lineages_have_as_many_parents_as_enumerated(drawn):
    size, sampled = drawn
    chain = descent.ancestral_chain(size, sampled)
    for lineages in range(1, sampled + 1):
        exact = parents(size, lineages)
        expected = [float(exact.get(k, 0)) for k in range(1, sampled + 1)]
        assert chain[lineages - 1] == pytest.approx(expected, rel=1e-14)


@pure
@given(samples(), st.integers(0, 4))
def test_times_and_numbers_of_lineages_are_those_of_the_enumerated_chain(drawn, generations):
    size, sampled = drawn
    chain = {n: parents(size, n) for n in range(1, sampled + 1)}
    times = {1: Fraction(0)}
    for n in range(2, sampled + 1):
        later = sum(p * times[k] for k, p in chain[n].items() if k < n)
        times[n] = (1 + later) / (1 - chain[n].get(n, 0))
    assert descent.ancestor_time(size, sampled) == pytest.approx(float(times[sampled]), rel=1e-13)
    number = {sampled: Fraction(1)}
    for _ in range(generations):
        after = Counter()
        for n, p in number.items():
            for k, q in chain[n].items():
                after[k] += p * q
        number = after
    expected = float(sum(n * p for n, p in number.items()))
    found = descent.expected_lineages(size, sampled, generations)
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("size", [2, 8, 300])
def test_two_agents_meet_as_identity_by_descent_says(size):
    assert descent.ancestor_time(size, 2) == pytest.approx(size)
    assert descent.ancestor_time(size, 1) == 0
    for generations in (0, 1, 7, 40):
        apart = descent.expected_lineages(size, 2, generations) - 1
        kin = descent.identity_by_descent(1 / size, generations)
        assert apart == pytest.approx(1 - kin)


def test_large_populations_are_near_the_coalescent():
    size, sampled = 2000, 40
    assert descent.ancestor_time(size, sampled) == pytest.approx(
        2 * size * (1 - 1 / sampled), rel=0.01
    )
    rows = descent.ancestral_chain(size, size).sum(axis=1)
    assert rows == pytest.approx(1)


@pure
@given(st.floats(0, 1), st.integers(0, 30), st.integers(0, 30))
def test_identity_by_descent_goes_on_from_generation_to_generation(c, one, other):
    first, second = (descent.identity_by_descent(c, t) for t in (one, other))
    both = descent.identity_by_descent(c, one + other)
    assert both == pytest.approx(first + (1 - first) * second, abs=1e-12)


def say(accuracy, kinds, agents):
    """All that agents can answer, with its probability: 0 is right, the rest wrong by its kind."""
    chances = [accuracy, *((1 - accuracy) * kind for kind in kinds)]
    for said in product(range(len(chances)), repeat=agents):
        yield said, math.prod(chances[one] for one in said)


@pure
@given(inner, st.integers(1, 4), st.integers(1, 4))
def test_agreement_among_equally_likely_wrong_answers(accuracy, kinds, agents):
    everything = list(say(accuracy, [1 / kinds] * kinds, agents))
    agreed = [(said[0] > 0, p) for said, p in everything if len(set(said)) == 1]
    exact = sum(p for wrong, p in agreed if wrong) / sum(p for _, p in agreed)
    assert descent.agreed_error(accuracy, 1 / kinds, agents) == pytest.approx(exact)


@pure
@given(inner, st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(2, 4))
def test_agreement_where_some_wrong_answers_are_likelier(accuracy, weights, agents):
    kinds = [weight / sum(weights) for weight in weights]
    collision = sum(kind**2 for kind in kinds)
    pairs = list(say(accuracy, kinds, 2))
    right = sum(p for said, p in pairs if said[0] == 0)
    rates = descent.agreement_rates(accuracy, min(collision, 1.0))
    both = sum(p for said, p in pairs if said[0] == said[1] == 0)
    assert rates.tpr == pytest.approx(both / right)
    same = sum(p for said, p in pairs if said[0] == said[1] != 0)
    assert rates.fpr == pytest.approx(same / (1 - right))
    agreed = [(s[0] > 0, p) for s, p in say(accuracy, kinds, agents) if len(set(s)) == 1]
    exact = sum(p for wrong, p in agreed if wrong) / sum(p for _, p in agreed)
    assert descent.agreed_error(accuracy, min(collision, 1.0), agents) <= exact * (1 + 1e-9)


@pure
@given(probabilities, probabilities)
def test_agreement_tells_right_from_wrong_above_the_least_accuracy(accuracy, collision):
    least = descent.least_accuracy(collision)
    rates = descent.agreement_rates(accuracy, collision)
    if abs(accuracy - least) > 1e-12:
        assert (rates.tpr > rates.fpr) == (accuracy > least)
    assert 0 <= least <= 0.5


@pure
@given(inner, probabilities, st.integers(1, 5))
def test_who_agrees_errs_by_the_odds_of_each_further_agent(accuracy, collision, agents):
    """Above the least accuracy each further one that agrees makes an error less likely."""
    one, more = (descent.agreed_error(accuracy, collision, m) for m in (agents, agents + 1))
    if abs(accuracy - descent.least_accuracy(collision)) > 1e-9:
        better = accuracy > descent.least_accuracy(collision)
        assert more <= one if better else more >= one
    assert descent.agreed_error(accuracy, collision, 1) == pytest.approx(1 - accuracy)


def test_the_ends_of_agreement():
    assert descent.agreed_error(1.0, 0.3, 3) == 0
    assert descent.agreed_error(0.0, 0.3, 3) == 1
    assert descent.agreed_error(0.0, 0.0, 1) == 1
    assert descent.agreed_error(0.5, 0.0, 2) == 0
    assert descent.agreed_error(0.6, 0.9, 10**6) == 0
    with pytest.raises(ValueError, match="accuracy, collision: expected one above 0 with 2 agents"):
        descent.agreed_error(0.0, 0.0, 2)


@pure
@given(inner, inner, st.integers(1, 12))
def test_a_correlated_jury_is_beta_binomial(rate, correlation, graders):
    spread = (1 - correlation) / correlation
    exact = betabinom.pmf(graders, graders, rate * spread, (1 - rate) * spread)
    found = descent.unanimous_rate(rate, correlation, graders)
    assert found == pytest.approx(exact, rel=1e-7)
    assert rate**graders * (1 - 1e-12) <= found <= rate * (1 + 1e-12)


@pure
@given(probabilities, st.integers(1, 12))
def test_the_ends_of_a_correlated_jury(rate, graders):
    assert descent.unanimous_rate(rate, 0.0, graders) == pytest.approx(rate**graders)
    assert descent.unanimous_rate(rate, 1.0, graders) == rate


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: descent.coalescence_probability([]), "rates: expected one per agent"),
        (lambda: descent.coalescence_probability([0, 0]), "rates: expected at least one above 0"),
        (lambda: descent.coalescence_probability([1, -1]), "rates: expected finite .* agent 1"),
        (lambda: descent.identity_by_descent(1.2, 1), "coalescence: expected .*, got 1.2"),
        (lambda: descent.identity_by_descent(0.2, -1), "generations: expected at least 0, got -1"),
        (lambda: descent.ancestor_time(0, 0), "size: expected at least 1, got 0"),
        (lambda: descent.ancestor_time(3, 0), "sampled: expected at least 1, got 0"),
        (lambda: descent.ancestor_time(3, 4), r"sampled: expected 1 to 3 \(size\), got 4"),
        (lambda: descent.expected_lineages(3, 2, -1), "generations: expected at least 0"),
        (lambda: descent.agreement_rates(math.nan, 0.1), "accuracy: expected .*, got nan"),
        (lambda: descent.agreement_rates(0.1, -0.1), "collision: expected a probability"),
        (lambda: descent.least_accuracy(2), "collision: expected a probability"),
        (lambda: descent.agreed_error(0.1, 0.1, 0), "agents: expected at least 1, got 0"),
        (lambda: descent.unanimous_rate(0.1, 1.1, 2), "correlation: expected a probability"),
        (lambda: descent.unanimous_rate(1.1, 0.1, 2), "rate: expected a probability"),
        (lambda: descent.unanimous_rate(0.1, 0.1, 0), "graders: expected at least 1"),
    ],
)
def test_what_is_no_argument_is_named(call, told):
    with pytest.raises(ValueError, match=told):
        call()
