"""The arm of founders alone: their likeliest answers, beside any protocol, changing nothing."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from mgptn.experiments.config.arms import GREEDY, LIKELIEST, SELECTED, TEMPERATURES, arms_of
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.setting.stage import Stage


def config_of(protocol: str) -> RunConfig:
    return check_config(
        {
            "name": "alone",
            "agents": {"model": "gpt-1", "context_capacity": 4},
            "population": {"size": 4, "generations": 2},
            "protocol": {"name": protocol, "graders": 2},
            "problems_per_generation": 6,
        }
    )


def test_every_run_of_models_has_it_and_no_scripted_one() -> None:
    assert GREEDY in arms_of(config_of("survey"), controls=True)
    assert arms_of(config_of("survey"), controls=False) == (SELECTED,)
    scripted = check_config({"name": "scripted", "agents": {"model": "scripted"}})
    assert GREEDY not in arms_of(scripted, controls=True)


@pytest.mark.parametrize("protocol", ["survey", "pairwise"])
def test_founders_alone_answer_once_at_each_temperature(protocol: str) -> None:
    config = config_of(protocol)
    stage = Stage(config)
    fleet = stage.local_fleet()
    bare = next(iter(Simulation(config, stage=stage, fleet=fleet)))
    together = [Simulation(config, arm=arm, stage=stage) for arm in (SELECTED, GREEDY)]
    run, alone = (done.generation for done in step_together(together, fleet))
    again = step_together(together, fleet)[1].generation
    fleet.close()
    assert run.digest == bare.digest
    assert [a.genome.sampling_temperature for a in alone.agents] == list(TEMPERATURES)
    assert len(alone.outcomes) == 6 * len(TEMPERATURES)
    assert not alone.outcomes.grade_values().size
    assert not alone.accepted.size
    assert all(agent.genome.context == () for agent in again.survivors)
    # At so low a sampling temperature the likeliest answer is all but certain.
    likely = alone.by_problem(alone.outcomes.log_probabilities)[:, TEMPERATURES.index(LIKELIEST)]
    assert (likely > -1e-3).all()
