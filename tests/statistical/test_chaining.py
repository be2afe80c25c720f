"""Scripted populations that learn from what is accepted, against the closed forms.

Every test has a fixed seed and states the chance that a right implementation would fail it under
a fresh one; those that say nothing of it draw nothing that could fail by chance.
"""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from scipy.stats import binom

from mgptn.population.draws.streams import stream
from mgptn.population.theory import classification
from mgptn.population.theory.chaining import simulate_copiers, unanimous_rates
from mgptn.population.theory.classification import Rates
from tests.reference.population.theory.classification import lock_threshold

FALSE_ALARM = 1e-7


def hoeffding(samples):
    """Distance of a mean of independent numbers in [0, 1] from its expectation."""
    return math.sqrt(math.log(2 / FALSE_ALARM) / (2 * samples))


@pytest.mark.parametrize("rates", [Rates(0.8, 0.3), Rates(0.4, 0.6), Rates(0.9, 0.9)])
@pytest.mark.parametrize("answers", [3, 64])
def test_every_round_filters_as_the_recurrence_does(rates, answers):
    """Given each round's error, wrong ones among the accepted. False alarm: 1e-7 each.

    Over answers, [accepted and wrong] − ε'·[accepted] is a martingale difference within an
    interval of length one, so that Azuma and Hoeffding's inequality holds for any number of them.
    """
    rounds, buffers = 6, 4000
    rng = stream(1, "recurrence", f"{rates}", answers)
    chains = simulate_copiers(0.6, rates, answers, rounds, buffers, rng)
    expected = np.vectorize(classification.filtered_error)(chains.errors[:-1], *rates)
    surplus = np.sum(chains.wrong - expected * chains.accepted)
    total = rounds * buffers * answers
    bound = math.sqrt(total * math.log(2 / FALSE_ALARM) / 2)
    assert abs(surplus) < bound
    # And accepted ones among all.
    appended = np.vectorize(classification.append_rate)(chains.errors[:-1], *rates)
    assert abs(np.sum(chains.accepted - answers * appended)) < bound < 0.03 * total


@pytest.mark.parametrize(("graders", "needed"), [(1, 6), (2, 3), (3, 2)])
def test_time_to_target(graders, needed):
    """Every population takes the predicted rounds, with one, two and three unanimous graders.

    The target's logit lies ten standard deviations from those of the rounds before and after
    (asserted), which 50 populations reach by chance with less than 1e-19.
    """
    rates = unanimous_rates(Rates(0.8, 0.3), graders)
    start, target, answers, populations = 0.7, 0.01, 2_000_000, 50
    assert math.ceil(classification.rounds_to_error(start, target, *rates)) == needed
    theory = classification.error_trajectory(start, *rates, needed)
    appended = [classification.append_rate(e, *rates) for e in theory[:-1]]
    wrong = answers * np.array(appended) * theory[1:] * (1 - theory[1:])
    deviation = math.sqrt(np.sum(1 / wrong))
    logits = np.log(theory / (1 - theory)) - math.log(target / (1 - target))
    assert logits[-1] < -10 * deviation < 10 * deviation < logits[-2]
    rng = stream(2, "time to target", graders)
    errors = simulate_copiers(start, rates, answers, needed, populations, rng).errors
    assert np.all(errors[:-1] > target)
    assert np.all(errors[-1] <= target)
    np.testing.assert_allclose(errors.mean(axis=1), theory, rtol=0.05)


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.1])
def test_error_stays_where_graders_do_not_tell_right_from_wrong(rate):
    """Λ = 1: the mean over buffers stays, each of them drifts. False alarm: 3e-7 each."""
    buffers, rounds = 60_000, 8
    for answers in (1, 5, 40):
        rng = stream(3, "no signal", f"{rate}", answers)
        errors = simulate_copiers(0.3, Rates(rate, rate), answers, rounds, buffers, rng).errors
        assert abs(errors[-1].mean() - 0.3) < hoeffding(buffers) < 0.012
        assert np.var(errors[-1]) > 0.01


@pytest.mark.parametrize("rates", [Rates(0.8, 0.3), Rates(0.5, 0.45)])
def test_error_falls_above_one_and_rises_below(rates):
    """The graders turned round turn the error round. False alarm: 2e-7 each."""
    buffers, rounds, answers = 100_000, 6, 30
    falls = simulate_copiers(0.5, rates, answers, rounds, buffers, stream(4, "falls")).errors
    mirrored = Rates(rates.fpr, rates.tpr)
    rises = simulate_copiers(0.5, mirrored, answers, rounds, buffers, stream(4, "rises")).errors
    assert falls[-1].mean() < 0.5 - hoeffding(buffers)
    assert rises[-1].mean() > 0.5 + hoeffding(buffers)


def test_small_buffers_drift_to_all_or_nothing_as_wright_fisher_does():
    """With everything accepted a buffer of Q is a neutral population of Q. False alarm: 2e-7."""
    answers, buffers, rounds = 10, 100_000, 12
    errors = simulate_copiers(
        0.4, Rates(1.0, 1.0), answers, rounds, buffers, stream(5, "drift")
    ).errors
    heterozygosity = 2 * errors[-1] * (1 - errors[-1])
    expected = 2 * 0.4 * 0.6 * (1 - 1 / answers) ** rounds
    assert abs(heterozygosity.mean() - expected) < hoeffding(buffers) / 2
    errors = simulate_copiers(0.4, Rates(1.0, 1.0), 4, 200, buffers, stream(5, "fixed")).errors
    assert np.all((errors[-1] == 0.0) | (errors[-1] == 1.0))  # but for 1e5·0.75^200 = 1e-20
    assert abs(errors[-1].mean() - 0.4) < hoeffding(buffers)


HIGH, LOW = 0.4, 0.1
TPR = 0.9


def test_a_copier_under_the_same_graders_does_not_lock():
    """Λ > 1 suffices for copiers: their error falls below the best skill. False alarm: 1e-20."""
    likelihood_ratio = lock_threshold(HIGH, LOW) * 0.85
    assert likelihood_ratio > 1
    rates = Rates(TPR, TPR / likelihood_ratio)
    rounds = math.ceil(classification.rounds_to_error(HIGH, LOW / 2, *rates))
    errors = simulate_copiers(HIGH, rates, 100_000, rounds, 50, stream(8, "copiers")).errors
    assert np.all(errors[-1] < LOW)


def test_nothing_accepted_leaves_the_error():
    chains = simulate_copiers(0.6, Rates(0.0, 0.0), 10, 3, 4, stream(9, "none"))
    assert np.all(chains.errors == 0.6)
    assert not chains.accepted.any()


def test_a_perfect_grader_needs_one_round():
    """But for buffers that stay empty. False alarm: none."""
    chains = simulate_copiers(0.6, Rates(1.0, 0.0), 10, 1, 1000, stream(10, "perfect"))
    assert np.all(chains.errors[1][chains.accepted[0] > 0] == 0.0)
    assert not chains.wrong.any()
    empty = int(np.sum(chains.accepted[0] == 0))
    assert empty <= binom.isf(FALSE_ALARM, 1000, 0.6**10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.2, Rates(0.5, 0.5), 1, 1, 1), r"error: expected .* got 1\.2"),
        ((math.nan, Rates(0.5, 0.5), 1, 1, 1), "error: expected .* got nan"),
        ((0.5, Rates(-0.1, 0.5), 1, 1, 1), r"tpr: expected .* got -0\.1"),
        ((0.5, Rates(0.5, 2.0), 1, 1, 1), r"fpr: expected .* got 2\.0"),
        ((0.5, Rates(0.5, 0.5), 0, 1, 1), "answers: expected at least 1, got 0"),
        ((0.5, Rates(0.5, 0.5), 1, -1, 1), "rounds: expected at least 0, got -1"),
        ((0.5, Rates(0.5, 0.5), 1, 1, 0), "buffers: expected at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_copiers(*arguments, stream(11, "bad"))


def test_a_jury_without_graders_is_refused():
    with pytest.raises(ValueError, match="graders: expected at least 1, got 0"):
        unanimous_rates(Rates(0.5, 0.5), 0)
