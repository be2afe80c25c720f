"""Policy gradient and sharpening on trees of tokens, against theory and against plain versions."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.operators import soft_select
from mgptn.population.draws.streams import stream
from mgptn.population.theory.reinforcement import (
    _objective,
    divergence,
    greedy_answer,
    natural_policy_gradient,
    policy_gradient,
    sharpen_answers,
    sharpen_tokens,
    token_conditionals,
    total_variation,
)

SHAPES = st.sampled_from([(2, 1), (2, 3), (3, 2), (5, 2)])


def drawn(shape: tuple[int, int], seed: int) -> np.ndarray:
    return stream(seed, "answers").dirichlet(np.full(shape[0] ** shape[1], 0.5))


@given(SHAPES, st.integers(0, 10**6), st.floats(0.05, 2.0))
@settings(max_examples=40, deadline=None)
def test_natural_policy_gradient_ends_where_soft_selection_does(
    shape: tuple[int, int], seed: int, temperature: float
) -> None:
    p = drawn(shape, seed)
    rewards = stream(seed, "rewards").random(p.size)
    found = natural_policy_gradient(p, rewards, temperature, shape[0])
    target = soft_select(p, rewards, temperature, 1)
    np.testing.assert_allclose(found.distribution, target, atol=1e-9)
    assert found.steps < 1000


@given(SHAPES, st.integers(0, 10**6), st.floats(0.3, 2.0))
@settings(max_examples=25, deadline=None)
def test_policy_gradient_ends_there_where_the_move_is_small(
    shape: tuple[int, int], seed: int, temperature: float
) -> None:
    p = 0.9 * drawn(shape, seed) + 0.1 / shape[0] ** shape[1]
    rewards = stream(seed, "rewards").random(p.size)
    found = policy_gradient(p, rewards, temperature, shape[0], 5000)
    target = soft_select(p, rewards, temperature, 1)
    assert total_variation(found.distribution, target) < 1e-3
    assert found.distribution.sum() == pytest.approx(1.0)


def test_the_plain_gradient_stalls_where_the_natural_one_does_not() -> None:
    plain = []
    for seed in range(4):
        rng = stream(seed, "rare")
        p = rng.permutation(1.0 / np.arange(1.0, 101.0))
        p, rewards = p / p.sum(), (rng.random(100) < 0.1).astype(np.float64)
        target = soft_select(p, rewards, 0.1, 1)
        natural = natural_policy_gradient(p, rewards, 0.1, 10)
        assert total_variation(natural.distribution, target) < 1e-9
        found = policy_gradient(p, rewards, 0.1, 10, 300)
        plain.append(total_variation(found.distribution, target))
    assert max(plain) > 0.05


def test_distances_by_hand() -> None:
    assert total_variation([0.5, 0.5, 0.0], [0.2, 0.5, 0.3]) == pytest.approx(0.3)
    assert divergence([0.5, 0.5], [0.25, 0.75]) == pytest.approx(0.5 * math.log(2 * 2 / 3))
    assert divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx(math.log(2))


@given(SHAPES, st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_gradient_is_that_of_the_objective(shape: tuple[int, int], seed: int) -> None:
    p, rng = drawn(shape, seed), stream(seed, "logits")
    places = sum(shape[0] ** (d + 1) for d in range(shape[1]))
    logits, rewards = rng.normal(size=places), rng.random(p.size)
    given_ = np.log(np.maximum(p, 1e-300)), rewards, 0.3, shape[0]
    _, gradient = _objective(logits, *given_)
    for i in range(places):
        step = np.zeros(places)
        step[i] = 1e-5
        above, below = (_objective(logits + sign * step, *given_)[0] for sign in (1, -1))
        assert gradient[i] == pytest.approx((above - below) / 2e-5, abs=1e-6, rel=1e-4)


@given(SHAPES, st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_conditionals_multiply_to_the_answers(shape: tuple[int, int], seed: int) -> None:
    p = drawn(shape, seed)
    rows = token_conditionals(p, shape[0])
    for i, answer in enumerate(itertools.product(range(shape[0]), repeat=shape[1])):
        product, at = 1.0, 0
        for place, token in enumerate(answer):
            product *= rows[place][at, token]
            at = at * shape[0] + token
        assert product == pytest.approx(p[i], rel=1e-9)
    np.testing.assert_allclose(sharpen_tokens(p, shape[0], 1.0), p, rtol=1e-9)


@given(SHAPES, st.integers(0, 10**6), st.floats(1.1, 6.0))
@settings(max_examples=40, deadline=None)
def test_sharpening_is_selection_by_log_probability(
    shape: tuple[int, int], seed: int, power: float
) -> None:
    p = drawn(shape, seed)
    selected = soft_select(p, np.log(np.maximum(p, 1e-300)), 1.0 / (power - 1.0), 1)
    np.testing.assert_allclose(sharpen_answers(p, power), selected, atol=1e-12)


def test_tokens_sharpened_apart_are_not_answers_sharpened() -> None:
    # aa .3 ab .3 | ba .4 bb 0: greedy begins with a, the likeliest answer is ba.
    p = np.array([0.3, 0.3, 0.4, 0.0])
    assert greedy_answer(p, 2) == 0
    assert int(np.argmax(p)) == 2
    np.testing.assert_allclose(sharpen_tokens(p, 2, 60.0), [0.5, 0.5, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(sharpen_answers(p, 60.0), [0.0, 0.0, 1.0, 0.0], atol=1e-6)
    # One token is one answer: no difference.
    one = np.array([0.2, 0.5, 0.3])
    np.testing.assert_allclose(sharpen_tokens(one, 3, 2.5), sharpen_answers(one, 2.5))
    # By hand, α = 2: first token .36/.52 for a; then halves.
    first = 0.36 / 0.52
    np.testing.assert_allclose(sharpen_tokens(p, 2, 2.0), [first / 2, first / 2, 1 - first, 0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: token_conditionals([0.5, 0.2, 0.3], 2), "probabilities: expected a power of 2"),
        (lambda: sharpen_answers([0.5, 0.5], 0.0), "power: expected a number > 0, got 0.0"),
        (lambda: sharpen_tokens([0.5, 0.5], 2, -1.0), "power: expected a number > 0, got -1.0"),
        (lambda: policy_gradient([0.5, 0.5], [1.0], 1.0, 2, 9), "rewards: expected 2 finite"),
        (
            lambda: natural_policy_gradient([0.5, 0.5], [1.0, 0.0], math.inf, 2),
            "selection_temperature",
        ),
    ],
)
def test_bad_arguments_are_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
