"""Coders and testers: a run of real, tiny founders that learn, and what is measured beside it."""

# SPDX-License-Identifier: Apache-2.0

import math
from pathlib import Path

import pytest

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import check_config, load_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.passing.collusion import frame, measure, said_of
from mgptn.experiments.passing.idle import idle_share
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.setting.founders import train_founders
from mgptn.population.records.turns import CRITIQUE
from mgptn.protocols.tasks.programs.both import program_spec

TINY = {
    "name": "tiny",
    "task": {"name": "code-and-tests", "size": 2},
    "population": {"size": 3, "generations": 2, "selection": {"process": "none"}},
    "agents": {
        "founders": {
            **{"task": "code-and-tests", "sizes": "2-2", "count": 2, "offsets": 0, "steps": 60},
            **{"layers": 1, "width": 32, "heads": 2, "documents": 32},
        },
        "learning": {"method": "full", "steps": 3, "documents": 8},
        "context_capacity": 0,
    },
    "protocol": {"name": "code-and-tests", "graders": 2, "threshold": 0.5},
    "hosts": {"slots": 16},
    "problems_per_generation": 8,
    "metrics": {"port": 0},
}


def test_founders_that_write_programs_and_tests_learn_what_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MGPTN_CACHE", str(tmp_path))
    config = check_config(TINY)
    assert list(train_founders(config)) == [0, 1]
    first, last = Simulation(config)
    again = list(Simulation(config))
    assert [one.digest for one in again] == [first.digest, last.digest]
    asks = [program_spec(query) is not None for query in first.outcomes.queries]
    assert 0 < sum(asks) < len(asks)
    turns = first.outcomes.turns
    assert (turns.kinds == CRITIQUE).sum() >= 2 * 3 * sum(asks)  # each grader's test of a program
    found = measure(first.outcomes, 2)
    assert 0.0 <= found.shown_passed <= 1.0
    assert found.program_error > 0.2  # hardly anything was taught
    row = frame(Committed(SELECTED, first, {}, {}), 2)
    assert row.to_dicts()[0]["program_error"] == found.program_error
    assert f"programs {found.program_error:.3f} were wrong" in said_of(row)
    idle = idle_share(first.outcomes)
    assert math.isnan(idle) == math.isnan(found.trivial)
    if not math.isnan(idle):
        assert max(found.trivial, found.unfailable) <= idle <= found.trivial + found.unfailable
    if len(first.accepted):
        assert any(first.learned)
        assert any(agent.genome.weights is not None for agent in last.agents)


def test_the_bundled_configuration_is_whole():
    config = load_config("code_and_tests")
    assert config.protocol.name == config.task.name == config.agents.founders.task


@pytest.mark.parametrize("name", ["programs", "speed"])
def test_scripted_agents_are_asked_about_programs_too(name: str):
    config = check_config(
        {
            "name": "scripted",
            "task": name,
            "agents": {"model": "scripted", "scripted": {"error": 0.5}},
            "population": {"generations": 1},
            "problems_per_generation": 8,
        }
    )
    (only,) = Simulation(config)
    assert 0.2 < only.outcomes.verdicts.mean() < 0.8
