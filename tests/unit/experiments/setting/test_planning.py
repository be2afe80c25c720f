"""Sizes are planned before anything is allocated."""

# SPDX-License-Identifier: Apache-2.0

import time
import tracemalloc

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.planning import check_room, planned_bytes
from mgptn.experiments.setting.stage import Stage


def sized(size=8, problems=4, graders=2, generations=1):
    return check_config(
        {
            "name": "sized",
            "population": {"size": size, "generations": generations},
            "agents": {"model": "scripted"},
            "task": {"name": "addition", "size": 6},
            "protocol": {"graders": graders},
            "problems_per_generation": problems,
        }
    )


@pytest.mark.parametrize(("size", "problems", "graders"), [(60, 20, 4), (100, 5, 60)])
def test_what_is_planned_is_taken_at_the_least(size, problems, graders):
    config = sized(size, problems, graders)
    tracemalloc.start()
    generation = next(iter(Simulation(config, stage=Stage(config))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(generation.outcomes) == size * problems
    assert peak / 100 < planned_bytes(config) < peak


@settings(deadline=None, max_examples=30)
@given(st.integers(8, 10**6), st.integers(4, 10**6), st.integers(1, 10**6))
def test_more_of_anything_takes_no_less(size, problems, generations):
    few, many = sized(8, 4, 2), sized(size, problems, 2, generations)
    assert planned_bytes(few) <= planned_bytes(many)


def test_what_has_no_room_is_refused_by_its_sizes():
    config = sized(100_000, 100_000, 4)
    check_room(config, 2**60)
    with pytest.raises(ConfigError, match=r"fit in the 2\.0 GiB .* got 100,000 agents × 100,000"):
        check_room(config, 2**31)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["population.size=1e9"], "population.size: expected less than or equal to 1000000"),
        (
            ["population.size=1000000", "problems_per_generation=1000000"],
            "population.size: expected sizes whose records fit",
        ),
        (["population.generations=1e12"], "population.generations: expected less than"),
        (["problems_per_generation=1e9"], "problems_per_generation: expected less than"),
        (["protocol.graders=1e9"], "protocol.graders: expected less than"),
        (["agents.founders={width: 1000000000}"], "width: expected 1 to 16384"),
        (
            ["population.size=1e5", "protocol.topology={name: ring, neighbours: 1000}"],
            "neighbours: expected at most 100 of 100000",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_huge_sizes_end_at_once_and_nothing_is_made(tmp_path, changes, message):
    model = [] if "founders" in changes[0] else ["agents.model=scripted"]
    sets = [word for change in (*model, "metrics.port=0", *changes) for word in ("--set", change)]
    began = time.process_time()
    done = CliRunner().invoke(main, ["run", "quickstart", *sets, "--out", str(tmp_path / "run")])
    assert done.exit_code in (1, 2)
    assert isinstance(done.exception, SystemExit)
    assert message in " ".join(done.output.split())
    assert time.process_time() - began < 20
    assert not (tmp_path / "run").exists()
