"""Expected offspring numbers, by hand, and what has none in closed form."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from mgptn.population.breeding.operators import replication_rates, survival_probability
from mgptn.population.breeding.processes import (
    PROCESSES,
    ProcessOptions,
    deme_size,
    draw_other_parent,
)
from tests.reference.population.breeding.processes import expected_offspring

RATES = [0.5, 1.5, 2.0, 0.0]


@pytest.mark.parametrize("process", list(PROCESSES))
def test_equal_rates_give_everybody_one(process):
    assert expected_offspring(process, [3.0] * 4).tolist() == [1.0] * 4


@pytest.mark.parametrize("process", ["wright-fisher", "soft-survival"])
def test_offspring_numbers_are_the_rates(process):
    assert expected_offspring(process, [2 * r for r in RATES]) == pytest.approx(RATES)


def test_migrants_are_drawn_from_all_and_residents_from_their_deme():
    expected = expected_offspring("islands", RATES, ProcessOptions(demes=2, migration=0.25))
    assert expected == pytest.approx(
        [0.25 * r + 0.75 * own for r, own in zip(RATES, [0.5, 1.5, 2.0, 0.0], strict=True)]
    )
    apart = expected_offspring("islands", [1.0, 3.0, 8.0, 8.0], ProcessOptions(demes=2))
    assert apart == pytest.approx([0.02 + 0.45, 0.06 + 1.35, 0.16 + 0.9, 0.16 + 0.9])


def test_nobody_is_replaced_without_a_process():
    assert expected_offspring("none", RATES).tolist() == [1.0] * 4


def test_survival_is_soft_selections():
    """Rates over the greatest are φ = exp((f − f_max)/T), whatever the scale of fitness."""
    fitness = [0.2, 0.5, 0.9, 0.1]
    rates = replication_rates(fitness, 0.3)
    assert rates / rates.max() == pytest.approx(survival_probability(fitness, 0.3))


def test_the_demes_must_divide_the_agents():
    assert deme_size("islands", ProcessOptions(demes=3), 12) == 4
    assert deme_size("moran", ProcessOptions(demes=3), 11) == 11
    for demes in (0, 5):
        with pytest.raises(ValueError, match=f"demes: expected .* 12 agents, got {demes}"):
            deme_size("islands", ProcessOptions(demes=demes), 12)


def test_a_mate_is_another_with_a_rate_above_zero():
    rng = np.random.default_rng(0)
    assert {draw_other_parent(RATES, {1}, rng) for _ in range(50)} == {0, 2}
    assert draw_other_parent(RATES, {0, 1, 2}, rng) is None
