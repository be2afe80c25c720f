"""Wilson's interval, Fisher's test and the phi coefficient beside plain versions of each."""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from mgptn.population.intervals.shares import wilson
from mgptn.population.measures.judgement import phi, same_proportion

pure = settings(deadline=None, max_examples=100)
counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
few = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
series = st.integers(1, 30).flatmap(
    lambda n: st.tuples(*(st.lists(st.booleans(), min_size=n, max_size=n) for _ in range(2)))
)


@pure
@given(counts)
def test_wilsons_interval_is_scipys(count):
    successes, trials = count
    known = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson(successes, trials) == pytest.approx((known.low, known.high), abs=1e-9)


def test_wilsons_interval_of_nine_in_ten():
    """Newcombe 1998 and every table: 9 of 10 is .596 to .982."""
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=5e-5)


@pure
@given(counts)
def test_wilsons_interval_holds_the_share_and_mirrors(count):
    successes, trials = count
    low, high = wilson(successes, trials)
    assert 0.0 <= low <= successes / trials <= high <= 1.0
    other = wilson(trials - successes, trials)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_no_trials_say_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_named(successes, trials):
    with pytest.raises(ValueError, match="successes: expected 0 to 3"):
        wilson(successes, trials)


@pure
@given(few, few)
def test_fishers_test_is_the_sum_of_what_is_no_likelier(one, two):
    (a, n), (b, m) = one, two

    def weight(first: int) -> int:
        return math.comb(n, first) * math.comb(m, a + b - first)

    possible = [weight(k) for k in range(max(0, a + b - m), min(n, a + b) + 1)]
    plain = sum(w for w in possible if w <= weight(a) * (1 + 1e-7)) / sum(possible)
    assert same_proportion(a, n, b, m) == pytest.approx(plain, rel=1e-6)


def test_fishers_false_alarms_are_no_more_than_claimed():
    """Exactly, summed over all outcomes of two binomials, for several true shares."""
    n, m, alpha = 40, 12, 0.01
    alarm = np.array(
        [[same_proportion(a, n, b, m) < alpha for b in range(m + 1)] for a in range(n + 1)]
    )
    for share in (0.03, 0.2, 0.5, 0.9):
        one, two = (
            np.array([math.comb(k, i) * share**i * (1 - share) ** (k - i) for i in range(k + 1)])
            for k in (n, m)
        )
        assert one @ alarm @ two <= alpha


@pure
@given(series)
def test_phi_is_pearsons_correlation(pair):
    first, second = (np.array(values) for values in pair)
    found = phi(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(np.corrcoef(first, second)[0, 1], abs=1e-12)
        assert phi(second, first) == found
        assert phi(~first, second) == pytest.approx(-found, abs=1e-12)


def test_phi_of_one_who_never_errs_is_undefined_and_not_zero():
    assert math.isnan(phi([False] * 5, [True, False, True, False, False]))
    assert math.isnan(phi([], []))


def test_phi_of_a_known_table():
    """20 both, 10 and 5 alone, 65 neither: (20·65 − 10·5)/√(30·25·70·75)."""
    first = np.repeat([True, True, False, False], [20, 10, 5, 65])
    second = np.repeat([True, False, True, False], [20, 10, 5, 65])
    assert phi(first, second) == pytest.approx(1250 / math.sqrt(30 * 25 * 70 * 75))


def test_phi_takes_booleans_of_one_length():
    with pytest.raises(ValueError, match="booleans"):
        phi([0.2, 0.3], [0.1, 0.9])
    with pytest.raises(ValueError, match="shape"):
        phi([True], [True, False])
