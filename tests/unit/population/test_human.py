"""The simulated human: ratings and picks, their noise, lapses and biases."""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from mgptn.population.judging.human import NOBODY, Human, pick, rate

DRAWS = np.random.default_rng(7).random((3, 40_000))
EXACT = Human(noise=0.0, lapse=0.0)


def test_a_human_without_faults_is_the_verifier():
    verdicts = DRAWS[0] < 0.5
    assert rate(verdicts, DRAWS, EXACT).tolist() == verdicts.astype(float).tolist()


def test_noise_is_normal_and_bias_is_added():
    """Share of right answers rated above .6: its two-sided binomial test alarms at 1e-6."""
    human = Human(noise=0.3, lapse=0.0, bias=-0.2)
    ratings = rate(np.ones(DRAWS.shape[1]), DRAWS, human)
    expected = norm.sf((0.6 - 0.8) / 0.3)
    assert _plausible(np.sum(ratings > 0.6), len(ratings), expected)
    assert ratings.min() >= 0.0
    assert ratings.max() == 1.0


def test_a_lapse_rates_without_looking():
    """Wrong answers above .6 are lapses alone: false alarm 1e-6."""
    human = Human(noise=0.0, lapse=0.1)
    ratings = rate(np.zeros(DRAWS.shape[1]), DRAWS, human)
    assert _plausible(np.sum(ratings > 0.6), len(ratings), 0.1 * 0.4)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.integers(0, 10**6))
def test_without_noise_the_best_is_picked_or_nobody(utilities, seed):
    draws = np.random.default_rng(seed).random((2, 1))
    (chosen,) = pick([utilities], draws, EXACT).tolist()
    if chosen == NOBODY:
        assert max(utilities) <= 0.5
    else:
        assert utilities[chosen] == max(utilities) >= 0.5


def test_picks_follow_the_softmax_and_the_lapses():
    """Each option's count within its binomial's 1e-6 quantiles, four options: 4e-6 in all."""
    human = Human(noise=0.5, lapse=0.2, position_bias=0.3, reserve=0.4)
    count = DRAWS.shape[1]
    picked = pick(np.tile([0.1, 0.9, 0.6], (count, 1)), DRAWS[:2], human)
    weights = np.exp(np.array([0.4, 0.9, 0.6, 0.4]) / 0.5)
    expected = 0.8 * weights / weights.sum() + 0.2 * np.array([1, 1, 1, 0]) / 3
    for option, probability in zip((0, 1, 2, NOBODY), expected, strict=True):
        assert _plausible(np.sum(picked == option), count, probability)


def test_ties_are_broken_evenly():
    """Binomial, false alarm 1e-6."""
    picked = pick(np.ones((40_000, 2)), DRAWS[:2], EXACT)
    assert _plausible(np.sum(picked == 0), 40_000, 0.5)
    assert set(picked.tolist()) == {0, 1}


def test_a_reserve_of_minus_infinity_always_picks_and_missing_candidates_are_never_picked():
    human = Human(noise=0.2, lapse=0.5, reserve=-math.inf)
    picked = pick(np.tile([math.nan, 0.1, -math.inf], (1000, 1)), DRAWS[:2, :1000], human)
    assert set(picked.tolist()) == {1}
    nothing = pick(np.full((1000, 2), math.nan), DRAWS[:2, :1000], human)
    assert set(nothing.tolist()) == {NOBODY}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Human(noise=-0.1), "noise: expected a number ≥ 0, got -0.1"),
        (lambda: Human(noise=math.nan), "noise"),
        (lambda: Human(lapse=1.1), "lapse: expected a probability"),
        (lambda: rate([1.0], np.zeros((2, 1)), EXACT), r"uniforms: expected shape \(3, 1\)"),
        (lambda: pick([1.0], np.zeros((2, 1)), EXACT), "utilities: expected rows"),
        (lambda: pick([[1.0]], np.zeros((2, 2)), EXACT), r"uniforms: expected shape \(2, 1\)"),
    ],
)
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def _plausible(count, trials, probability):
    tail = min(binom.cdf(count, trials, probability), binom.sf(count - 1, trials, probability))
    return 2 * tail > 1e-6
