"""Real runs on a machine that is full: its disks and its shared memory."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest

from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.rounds import population_hash
from tests.learners import LEARNING
from tests.lives import SOON, Life
from tests.quarters import SHARED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SMALL_DISK = 4 << 20


# A run's disk


def test_on_a_full_disk_a_run_says_so_and_is_resumed_when_there_is_room(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str
) -> None:
    disk = life.folder.parent / "disk"
    disk.mkdir()
    life.quarters.mount(disk, SMALL_DISK)
    life.folder = disk / "run"
    command = life.begin(config_file(lasting))
    life.quarters.fill(disk)
    life.stops_with(command, "No space left on device; everything before is intact")
    life.quarters.check_empty()
    again = life.resume()
    life.stops_with(again, "No space left on device")
    life.quarters.check_empty()
    life.quarters.free(disk)
    life.ends_in(life.resume(), lasting_hash)


def test_on_a_full_disk_of_rays_a_run_goes_on(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str
) -> None:
    """It writes its logs there, and would spill objects to it."""
    life.quarters.mount(life.quarters.ray, 64 << 20)
    command = life.begin(config_file(lasting))
    life.quarters.fill(life.quarters.ray)
    if command.wait(SOON) != 0:
        life.stops_with(command, f"carry the run on with: mgptn resume {life.folder}")
        life.quarters.free(life.quarters.ray)
        command = life.resume()
    else:
        life.quarters.free(life.quarters.ray)
    life.ends_in(command, lasting_hash)


# Shared memory


@pytest.fixture(scope="module")
def learning() -> RunConfig:
    """Weights that learn: what hosts need of them lies in shared memory."""
    return check_config(
        {
            **LEARNING,
            "population": {**LEARNING["population"], "generations": 8},
            "hosts": {**LEARNING["hosts"], "count": 2},
        }
    )


@pytest.fixture(scope="module")
def learned(learning: RunConfig, local_stage: Any) -> str:
    """The hash in which it ends."""
    stage, fleet = local_stage(learning)
    return population_hash(Simulation(learning, stage=stage, fleet=fleet))


@pytest.mark.parametrize("when", ["before", "while"])
def test_where_shared_memory_is_full_a_run_goes_on_or_says_so(
    life: Life, learning: RunConfig, learned: str, config_file: Any, when: str
) -> None:
    if when == "before":
        life.quarters.fill(SHARED)
    command = life.begin(config_file(learning), commits=1)
    if when == "while":
        life.quarters.fill(SHARED)
    if command.wait(SOON) != 0:
        life.stops_with(command, f"carry the run on with: mgptn resume {life.folder}")
        life.quarters.check_empty()
        life.quarters.free(SHARED)
        command = life.resume()
    life.ends_in(command, learned)
