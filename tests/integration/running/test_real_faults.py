"""Real faults of a run with a Ray of its own: its hash comes in the end, and nothing is left."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.record.rounds import JOURNAL
from tests.lives import SOON, Life

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


# Ended from outside


ENDS: dict[str, tuple[tuple[signal.Signals, ...], int]] = {
    "SIGTERM": ((signal.SIGTERM,), 130),
    "SIGTERM twice": ((signal.SIGTERM, signal.SIGTERM), 130),
    "SIGINT": ((signal.SIGINT,), 130),
    "SIGINT twice": ((signal.SIGINT, signal.SIGINT), 130),
    "SIGKILL": ((signal.SIGKILL,), -signal.SIGKILL),
}


@pytest.mark.parametrize("end", ENDS)
def test_ended_by_a_signal_a_run_leaves_nothing_and_is_resumed(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str, end: str
) -> None:
    signals, status = ENDS[end]
    command = life.begin(config_file(lasting))
    for number in signals:
        command.process.send_signal(number)
        time.sleep(0.3)
    if status == 130:
        life.stops_with(command, f"Carry on with: mgptn resume {life.folder}", status)
    else:
        assert command.wait(SOON) == status
    life.quarters.check_empty(killed=end != "SIGINT")
    life.ends_in(life.resume(), lasting_hash)


@pytest.mark.parametrize("name", ["gcs_server", "raylet"])
def test_without_its_ray_a_run_says_so_and_is_resumed(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str, name: str
) -> None:
    command = life.begin(config_file(lasting))
    life.process(name).kill()
    life.stops_with(command, f"has ended; carry the run on with: mgptn resume {life.folder}")
    life.quarters.check_empty()
    life.ends_in(life.resume(), lasting_hash)


MINUTE = 60.0


@pytest.mark.parametrize("stopped", ["driver", "ray::HostActor", "raylet", "gcs_server", "all"])
def test_stopped_for_a_minute_a_run_goes_on_or_says_that_ray_did_not(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str, stopped: str
) -> None:
    command = life.begin(config_file(lasting))
    if stopped == "all":
        processes = life.quarters.processes()
    elif stopped == "driver":
        processes = [psutil.Process(command.process.pid)]
    else:
        processes = [life.process(stopped)]
    for process in processes:
        process.suspend()
    time.sleep(MINUTE)
    for process in processes:
        if process.is_running():
            process.resume()
    if command.wait(SOON) != 0:
        # Ray takes a node that is silent for half a minute for a dead one.
        assert stopped not in ("ray::HostActor",), command.output
        life.stops_with(command, f"carry the run on with: mgptn resume {life.folder}")
        life.quarters.check_empty()
        command = life.resume()
    life.ends_in(command, lasting_hash)


# What is done to its folder


def test_without_its_folder_a_run_stops_and_says_so(
    life: Life, lasting: RunConfig, config_file: Any
) -> None:
    command = life.begin(config_file(lasting))
    shutil.rmtree(life.folder)
    assert command.wait(SOON) == 1, command.output
    said = command.output.rstrip().splitlines()[-1]
    assert "the run's folder was removed, moved" in said
    assert "Traceback" not in command.output
    assert not life.folder.exists()
    life.quarters.check_empty()


def test_of_two_that_carry_a_run_on_one_is_refused(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str
) -> None:
    life.begin(config_file(lasting)).kill()
    both = [life.resume(), life.resume()]
    statuses = [command.wait(SOON) for command in both]
    assert sorted(statuses) == [0, 1], [command.output for command in both]
    refused, finished = both[statuses.index(1)], both[statuses.index(0)]
    assert "got one under way in another process" in refused.output
    assert "Traceback" not in refused.output
    life.ends_in(finished, lasting_hash)


def test_another_version_of_a_library_is_refused_or_let_through(
    life: Life, lasting: RunConfig, config_file: Any, lasting_hash: str, tmp_path: Path
) -> None:
    """One that says so of itself, as an update between two lives of a run does."""
    life.begin(config_file(lasting)).kill()
    life.quarters.check_empty(killed=True)
    other = tmp_path / "other/numpy-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    updated = {"PYTHONPATH": f"{other.parent}:{os.environ.get('PYTHONPATH', '')}"}
    before = (life.folder / JOURNAL).read_bytes()
    refused = life.resume(**updated)
    life.stops_with(refused, "pass --other-versions to go on all the same")
    assert "(here 0.0.1)" in refused.output
    assert (life.folder / JOURNAL).read_bytes() == before
    life.quarters.check_empty()
    life.ends_in(life.resume("--other-versions", **updated), lasting_hash)
