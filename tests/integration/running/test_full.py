"""Real runs on a machine that is full: its disks, its shared memory, its memory."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.rounds import JOURNAL, population_hash, read_rounds
from tests.learners import LEARNING
from tests.lives import SOON, Life
from tests.quarters import SHARED, NotAllowedError, Quarters

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


GROUPS = Path("/sys/fs/cgroup/memory")
"""Of Linux's first kind: where Ray reads what memory there is, whatever group it is in."""

LIMIT, USED = "memory.limit_in_bytes", "memory.usage_in_bytes"
GROUP_BYTES = 8 << 30
THRESHOLD = 0.5

HOG = "import sys, time; taken = bytearray(int(sys.argv[1])); time.sleep(600)"


@contextmanager
def memory_group(quarters: Quarters) -> Iterator[Path]:
    """A group of processes whose memory is limited, which those in the quarters take for all."""
    group = GROUPS / f"mgptn-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise NotAllowedError(f"a group of limited memory: {error}") from error
    try:
        (group / LIMIT).write_text(str(GROUP_BYTES))
        quarters.bind(group, GROUPS)
        yield group
    finally:
        quarters.end()
        until = time.monotonic() + 30
        while group.exists() and time.monotonic() < until:
            with suppress(OSError):  # what has just ended is still in it
                group.rmdir()


def test_hosts_that_rays_monitor_ends_for_want_of_memory_are_replaced(
    life: Life, longest: RunConfig, config_file: Any, longest_hash: str, eventually: Any
) -> None:
    try:
        with memory_group(life.quarters) as group:
            _short_of_memory(life, group, config_file(longest), longest_hash, eventually)
    except NotAllowedError as error:
        pytest.skip(f"this machine does not allow {error}")


def _short_of_memory(
    life: Life, group: Path, config: Path, longest_hash: str, eventually: Any
) -> None:
    life.entering = f"echo $$ > {group}/cgroup.procs;"
    command = life.begin(config, RAY_memory_usage_threshold=str(THRESHOLD))
    hosts = life.processes("ray::HostActor")
    assert len(hosts) == 2
    used = int((group / USED).read_text())
    wanted = int(GROUP_BYTES * (THRESHOLD + 0.05)) - used
    assert wanted > 0, f"expected a run to take less than the threshold, got {used} bytes"
    hog = subprocess.Popen(
        ["bash", "-c", f'{life.entering} exec "$@"', "bash", *life.quarters.entering,
         sys.executable, "-c", HOG, str(wanted)],
    )  # fmt: skip
    try:
        eventually(
            lambda: (
                not all(host.is_running() for host in hosts) or command.process.poll() is not None
            ),
            "Ray's monitor to end a host",
            120,
        )
    finally:
        hog.kill()
        hog.wait()
    if command.wait(SOON) != 0:
        life.stops_with(command, f"carry the run on with: mgptn resume {life.folder}")
        command = life.resume()
    else:
        rounds = read_rounds(life.quarters.seen(life.folder))
        assert sum(done.committed[0].counters["host_restarts"] for done in rounds) >= 1
    life.ends_in(command, longest_hash)
    assert (life.folder / JOURNAL).exists()
