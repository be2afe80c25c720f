"""Offspring numbers of every operator under every process, against their expectation.

Bounds are Bernstein's: |mean − expectation| ≥ √(2vL/n) + bL/(3n) has a probability of at most
2·exp(−L) for n independent numbers within b of their expectation with variance of at most v. So
false alarms are bounded for every n, not only in the limit; seeds are fixed.
"""

# SPDX-License-Identifier: Apache-2.0

import math
from functools import cache

import numpy as np
import pytest

from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.breeding.processes import PROCESSES, ProcessOptions
from mgptn.population.draws.streams import stream
from tests.reference.population.breeding.processes import expected_offspring

FALSE_ALARM = 1e-9
"""Of one agent's mean; there are fewer than 500 of them in this file: 5e-7 in all."""

FITNESS = np.array([0.1, 0.9, 0.5, 0.5, 0.2, 0.7])
RUNS = 6000
AT_ONCE = [
    ("wright-fisher", ProcessOptions("multinomial")),
    ("wright-fisher", ProcessOptions("systematic")),
    ("soft-survival", ProcessOptions()),
    ("islands", ProcessOptions(demes=2, migration=0.3)),
    ("islands", ProcessOptions(demes=3, migration=0.0)),
]


def offspring(process, rates, options, runs, *name):
    """Numbers of children, oneself included if alive, int64 [runs, M]."""
    rng = stream(3, "offspring", *name)
    numbers = np.zeros((runs, rates.size), dtype=np.int64)
    for run in range(runs):
        births = PROCESSES[process](rates, options, rng)
        ancestors = list(range(rates.size))
        parents = list(ancestors) if births.all_at_once else ancestors
        for parent, child in births.ancestry:
            ancestors[child] = parents[parent]
        numbers[run] = np.bincount(ancestors, minlength=rates.size)
    return numbers


def tolerance(variances, bound, runs):
    log = math.log(2.0 / FALSE_ALARM)
    return np.sqrt(2.0 * variances * log / runs) + bound * log / (3.0 * runs)


@pytest.mark.parametrize("operator", list(OPERATORS))
@pytest.mark.parametrize(("process", "options"), AT_ONCE)
def test_offspring_numbers_have_their_expectation(operator, process, options):
    """No variance exceeds the multinomial's, w(1 − w/M). False alarm: 6e-9 each."""
    rates = OPERATORS[operator](FITNESS, 0.4)
    if process == "islands":
        rates = np.concatenate([OPERATORS[operator](f, 0.4) for f in np.split(FITNESS, 2)])
        options = ProcessOptions(demes=2, migration=options.migration)
    numbers = offspring(process, rates, options, RUNS, operator, process, options.resampling)
    expected = expected_offspring(process, rates, options)
    assert expected == pytest.approx(rates, abs=1e-12)
    size = rates.size
    variances = expected * (1.0 - expected / size)
    assert np.all(np.abs(numbers.mean(axis=0) - expected) <= tolerance(variances, size, RUNS))
    assert np.all(numbers.sum(axis=1) == size)


def test_migrants_come_from_demes_by_their_rates_where_means_differ():
    """False alarm: 6e-9."""
    rates, options = np.array([0.2, 0.6, 2.0, 1.2, 2.0, 0.0]), ProcessOptions("multinomial", 3, 0.4)
    numbers = offspring("islands", rates, options, RUNS, "uneven")
    expected = expected_offspring("islands", rates, options)
    variances = expected * (1.0 - expected / 6)
    assert np.all(np.abs(numbers.mean(axis=0) - expected) <= tolerance(variances, 6, RUNS))


@cache
def by_enumeration(process, weights, counts, events):
    """Expected counts after some events, over every course that they may take."""
    if events == 0:
        return np.array(counts, dtype=float)
    size, kinds = sum(counts), range(len(counts))
    expected = np.zeros(len(counts))
    for dead in kinds:
        left = [n - (process == "death-birth" and kind == dead) for kind, n in enumerate(counts)]
        chances = [max(n, 0) * w for n, w in zip(left, weights, strict=True)]
        for parent in kinds:
            chance = counts[dead] / size * chances[parent] / (sum(chances) or 1.0)
            if chance > 0.0:
                after = list(counts)
                after[dead] -= 1
                after[parent] += 1
                rest = by_enumeration(process, weights, tuple(after), events - 1)
                expected += chance * rest
    return expected


@pytest.mark.parametrize("operator", list(OPERATORS))
@pytest.mark.parametrize("process", ["moran", "death-birth"])
def test_events_in_turn_have_the_expectation_of_all_their_courses(operator, process):
    """Four agents, whose numbers' variance is at most 4²/4. False alarm: 4e-9 each."""
    rates = OPERATORS[operator](FITNESS[[0, 1, 2, 5]], 2.0)
    expected = by_enumeration(process, tuple(rates), (1, 1, 1, 1), 4)
    assert expected.sum() == pytest.approx(4.0)
    numbers = offspring(process, rates, ProcessOptions(), RUNS, operator, process)
    assert np.all(np.abs(numbers.mean(axis=0) - expected) <= tolerance(4.0, 4, RUNS))
    # M events in turn do not multiply an agent by its rate, but leave it its rank.
    assert np.all(np.diff(expected[np.argsort(rates)]) > -1e-12)
    assert expected.max() < rates.max()


@pytest.mark.parametrize("process", [name for name in PROCESSES if name != "none"])
def test_neutral_offspring_numbers_are_one_in_the_mean(process):
    """False alarm: 6e-9 each; the variance of any number is at most 6²/4."""
    rates = np.ones(6)
    expected = expected_offspring(process, rates)
    assert expected.tolist() == [1.0] * 6
    numbers = offspring(process, rates, ProcessOptions(), RUNS, "neutral", process)
    assert np.all(np.abs(numbers.mean(axis=0) - expected) <= tolerance(9.0, 6, RUNS))


@pytest.mark.parametrize("process", ["moran", "death-birth"])
def test_neutral_events_in_turn_are_one_by_enumeration(process):
    assert by_enumeration(process, (1.0,) * 4, (1, 1, 1, 1), 4) == pytest.approx([1.0] * 4)


def test_soft_survival_has_less_variance_than_wright_fisher():
    """The variance worked out, and held against the sample's by six times its standard error.

    With S survivors and D births, Var = (1−p)²·φ(1−φ) + p²·Σ_others φ(1−φ) + E[D]·p(1−p).
    False alarm: about 1e-8 for the six agents.
    """
    rates = OPERATORS["softmax"](FITNESS, 0.4)
    survival, share = rates / rates.max(), rates / rates.sum()
    doubt = survival * (1.0 - survival)
    variances = (
        (1.0 - share) ** 2 * doubt
        + share**2 * (doubt.sum() - doubt)
        + (1.0 - survival).sum() * share * (1.0 - share)
    )
    assert np.all(variances < rates * (1.0 - share))
    numbers = offspring("soft-survival", rates, ProcessOptions(), 4 * RUNS, "variance")
    squares = (numbers - rates) ** 2
    errors = squares.std(axis=0) / math.sqrt(len(numbers))
    assert np.all(np.abs(squares.mean(axis=0) - variances) < 6.0 * errors)
