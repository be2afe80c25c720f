"""What is measured of rounds in order: what is expected of descent counts every round before."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import numpy as np
import pytest

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.rounds import Round
from mgptn.experiments.views.measured import measured
from mgptn.population.measures.jury import expected_identity, shared_founders
from mgptn.population.theory.descent import coalescence_probability
from tests.synthetic import synthetic_run

CONFIG = check_config({"name": "measured", "population": {"size": 6}})
ARMS = ("selected", "neutral-drift", "unselected")


def rounds():
    committed, _ = synthetic_run(ARMS, generations=4)
    return [Round(tuple(committed[i : i + len(ARMS)])) for i in range(0, len(committed), len(ARMS))]


def test_identity_is_expected_by_the_rates_of_the_rounds_before():
    done = list(measured(rounds(), CONFIG))
    assert not any(one.faults for one in done)
    for arm in ARMS:
        known = []
        for one in done:
            generation, found = one.of(arm).generation, one.measures[arm]
            assert found.identity_expected == pytest.approx(expected_identity(known))
            assert found.identity_by_descent == shared_founders(generation.agents)
            known.append(coalescence_probability(generation.rates) if generation.births else 0.0)
        # Nobody is replaced where nobody is selected.
        assert (found.identity_expected > 0) == (arm != "unselected")


def test_a_round_that_cannot_be_measured_leaves_expectations_whole():
    run = rounds()
    first = run[0].committed[0]
    # Of one accepted answer there is no verdict: it cannot be measured.
    broken = replace(first.generation, accepted=np.array([10**6]))
    run[0] = Round((replace(first, generation=broken), *run[0].committed[1:]))
    done, whole = list(measured(run, CONFIG)), list(measured(rounds(), CONFIG))
    assert len(done[0].faults) == 1
    assert math.isnan(done[0].measures["selected"].identity_expected)
    expected = whole[-1].measures["selected"].identity_expected
    assert done[-1].measures["selected"].identity_expected == expected > 0
