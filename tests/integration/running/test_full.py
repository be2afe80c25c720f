"""Real runs on a machine that is full: its disks, its shared memory, its memory."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
import time
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


# Memory


def test_hosts_that_rays_monitor_ends_for_want_of_memory_are_replaced(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str
) -> None:
    """The monitor is Ray's own, and ends real hosts; what it reads of a memory group is ours."""
    life.quarters.bound_memory()
    command = life.begin(config_file(lasting))
    ended = until_one_is_ended(life)
    life.quarters.use_memory(0.25)
    assert ended
    life.ends_in(command, lasting_hash)
    assert re.search(r"host \d is lost, and another started: .*memory", command.output)


def test_where_memory_stays_full_a_run_ends_with_how_to_go_on(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str
) -> None:
    life.quarters.bound_memory()
    command = life.begin(config_file(lasting))
    assert until_one_is_ended(life)
    life.stops_with(command, f"carry the run on with: mgptn resume {life.folder}")
    life.quarters.check_empty()
    life.quarters.use_memory(0.25)
    life.ends_in(life.resume(), lasting_hash)


def until_one_is_ended(life: Life) -> bool:
    """Let memory be full until a host of the run is gone; False if none goes in a minute."""
    hosts = {process.pid for process in life.processes("ray::")}
    life.quarters.use_memory(0.99)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if hosts - {process.pid for process in life.processes("ray::")}:
            return True
        time.sleep(0.05)
    return False
