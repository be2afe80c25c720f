"""Agreement as fitness: the chains against the tournament, and against closed forms.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one; those that say nothing of it draw nothing that could fail by chance.
"""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from scipy.stats import binom

from mgptn.experiments.claims.extinction.lineages import Condition, right_after
from mgptn.population.breeding import wright_fisher
from mgptn.population.breeding.islands import sample_island_parents
from mgptn.population.draws.streams import stream
from mgptn.population.theory.conformity import (
    diffusion_fixation,
    fixation_by_events,
    fixations,
    in_demes,
    log_advantage,
    lost_by,
    one_population,
    parents_right,
)

FALSE_ALARM = 1e-7


def agrees(found, trials, probability):
    """Two-sided exact binomial test."""
    low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], trials, probability)
    return low <= found <= high


@pytest.mark.parametrize(
    "condition",
    [
        Condition(8, 3, 0.5),
        Condition(8, 3, math.inf),
        Condition(8, 3, 0.5, protection=0.4),
        Condition(8, 4, 0.5, demes=2, migration=0.1),
    ],
)
def test_a_tournament_loses_what_is_right_as_its_chain_does(condition):
    """False alarm: 1e-7 each."""
    trials, generations = 150, 12
    lost = sum(right_after(condition, generations, 1, f"{k}") == 0 for k in range(trials))
    expected = lost_by(condition.chain, condition.start, generations)
    assert agrees(lost, trials, expected)
    # The test can tell it from the opposite, and the start is one.
    assert not agrees(lost, trials, 1.0 - expected) or 0.3 < expected < 0.7
    assert condition.start.sum() == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "condition",
    [
        Condition(16, 6, 2.0),
        Condition(16, 6, 0.5, protection=0.2),
        Condition(16, 6, 0.5, demes=4, migration=0.1),
    ],
)
def test_more_tournaments_do(condition):
    """False alarm: 1e-7 each."""
    trials, generations = 1500, 30
    lost = sum(right_after(condition, generations, 2, f"{k}") == 0 for k in range(trials))
    assert agrees(lost, trials, lost_by(condition.chain, condition.start, generations))


@pytest.mark.parametrize("size", [2, 5, 30])
def test_without_selection_a_share_is_its_own_chance(size):
    chain = one_population(parents_right(size, math.inf))
    np.testing.assert_allclose(chain, wright_fisher.transition_matrix(1.0, size), atol=1e-12)
    shares = np.arange(size + 1) / size
    np.testing.assert_allclose(fixations(chain), shares, atol=1e-9)
    for right in range(size + 1):
        assert fixation_by_events(size, math.inf, right) == pytest.approx(right / size)
        assert diffusion_fixation(right / size, size, math.inf) == right / size


@pytest.mark.parametrize("temperature", [0.3, 2.0])
@pytest.mark.parametrize("size", [2, 7, 12])
def test_right_and_wrong_are_as_likely_to_take_over_from_the_same_number(size, temperature):
    found = fixations(one_population(parents_right(size, temperature)))
    np.testing.assert_allclose(found + found[::-1], 1.0, atol=1e-9)
    assert np.all(np.diff(found) > 0.0)
    by_events = [fixation_by_events(size, temperature, right) for right in range(size + 1)]
    assert by_events[0] == 0.0
    assert np.add(by_events, by_events[::-1]) == pytest.approx(1.0)


def test_a_constant_advantage_is_the_classical_one():
    chain = one_population(np.arange(9) * 1.3 / (np.arange(9) * 1.3 + 8 - np.arange(9)))
    assert fixations(chain)[1] == pytest.approx(wright_fisher.fixation_probability(1.3, 8))


@pytest.mark.parametrize("temperature", [4.0, 20.0, 100.0])
def test_kimuras_approximation_is_near_where_selection_is_weak(temperature):
    exact = fixations(one_population(parents_right(100, temperature)))
    for right in (20, 40, 50, 70):
        found = diffusion_fixation(right / 100, 100, temperature)
        assert found == pytest.approx(exact[right], abs=0.01)
    # Where it is strong the approximation is above, by its neglected higher moments.
    strong = fixations(one_population(parents_right(16, 0.5)))[6]
    assert diffusion_fixation(6 / 16, 16, 0.5) > 1.5 * strong


def test_events_one_by_one_fix_as_by_the_closed_form():
    """False alarm: 1e-7."""
    size, temperature, trials = 6, 0.8, 4000
    rng, advantage = stream(3, "events"), np.exp(log_advantage(6, 0.8))
    right = np.full(trials, 2)
    while (moving := (right > 0) & (right < size)).any():
        # Of events that change the number a mutant is won with r/(1 + r).
        ratio = advantage[right[moving]]
        won = rng.random(moving.sum()) < ratio / (1.0 + ratio)
        right[moving] += np.where(won, 1, -1)
    assert agrees(int((right == size).sum()), trials, fixation_by_events(size, temperature, 2))
    other = fixations(one_population(parents_right(size, temperature)))[2]
    assert not agrees(int((right == size).sum()), trials, other)


def test_demes_that_do_not_exchange_anybody_lose_by_themselves():
    own = parents_right(4, 0.7)
    apart, alone = in_demes(own, 3, 0.0), one_population(own)
    state = 1 * 25 + 3 * 5 + 2
    start = np.eye(125)[state]
    each = [lost_by(alone, np.eye(5)[right], 7) for right in (1, 3, 2)]
    assert lost_by(apart, start, 7) == pytest.approx(math.prod(each), rel=1e-9)
    np.testing.assert_allclose(apart.sum(axis=1), 1.0)


def test_a_generation_of_demes_is_the_island_models():
    """Mean number of right parents by state. False alarm: 1e-7, by a binomial test each."""
    temperature, migration, draws = 0.6, 0.3, 6000
    chain = in_demes(parents_right(3, temperature), 2, migration)
    right = np.array([True, False, False, True, True, False])
    rates = np.concatenate(
        [
            np.where(of, math.exp(log_advantage(3, temperature)[of.sum()]), 1.0)
            / np.where(of, math.exp(log_advantage(3, temperature)[of.sum()]), 1.0).mean()
            for of in (right[:3], right[3:])
        ]
    )
    rng = stream(4, "demes")
    parents = np.stack([sample_island_parents(rates, [3, 3], migration, rng) for _ in range(draws)])
    counts = right[parents].reshape(draws, 2, 3).sum(axis=2)
    found = np.bincount(counts[:, 0] * 4 + counts[:, 1], minlength=16)
    for state, probability in enumerate(chain[1 * 4 + 2]):
        assert agrees(found[state], draws, probability)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: log_advantage(1, 1.0), "size: expected at least 2 agents, got 1"),
        (lambda: log_advantage(3, 0.0), "selection_temperature: expected a number > 0"),
        (lambda: parents_right(3, 1.0, 1.5), "protection: expected a share"),
        (lambda: in_demes(parents_right(9, 1.0), 4, 0.0), "at most 5000 states"),
        (lambda: in_demes(parents_right(3, 1.0), 2, 1.5), "migration: expected a probability"),
        (lambda: fixation_by_events(3, 1.0, 4), "right: expected 0 to 3"),
        (lambda: diffusion_fixation(1.5, 3, 1.0), "share: expected a share"),
    ],
)
def test_what_is_undefined_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
