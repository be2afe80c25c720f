"""A replay in lanes finds what one process finds."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.running import lanes
from mgptn.experiments.running.fleets import fleet_here
from mgptn.experiments.running.replay import Replay, replay
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from tests.rebound import rewrite

ARMS = ("selected", "unselected", "neutral-drift")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("lanes") / "run"
    plain = {
        "name": "lanes",
        "population": {"size": 6, "generations": 3},
        "agents": {"model": "scripted"},
        "problems_per_generation": 2,
        "metrics": {"port": 0},
    }
    config = check_config(plain)
    stage = Stage(config)
    session = Session.create(folder, config, ARMS, stage, "cpu")
    for _ in range(3):
        advance([session], fleet_here([stage]))
    session.end()
    session.close()
    return folder


def in_lanes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Replay:
    monkeypatch.setattr(lanes, "LARGE", 0)
    monkeypatch.setattr(lanes, "usable_cpus", lambda: 2)
    return replay(folder)


def forge(records: list[dict[str, Any]]) -> None:
    """A digest of every arm in generation 1, and those of the last two in generation 0."""
    for record, arms in ((records[1], (1, 2)), (records[2], (0, 1, 2))):
        for arm in arms:
            record["arms"][arm]["generation"]["digest"] = "00" * 32


def test_lanes_confirm_what_one_process_confirms(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = replay(sound)
    assert alone.confirmed
    assert in_lanes(sound, monkeypatch) == alone


def test_lanes_find_every_forgery_in_the_order_of_the_journal(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    subprocess.run(["cp", "-r", sound, folder], check=True)
    rewrite(folder, forge)
    alone = replay(folder)
    assert [line.partition(":")[0] for line in alone.differences] == [
        "generation 0, arm unselected",
        "generation 0, arm neutral-drift",
        "generation 1, arm selected",
        "generation 1, arm unselected",
        "generation 1, arm neutral-drift",
    ]
    assert in_lanes(folder, monkeypatch) == alone


def test_a_lane_that_is_killed_leaves_its_arms_to_the_others(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = replay(sound)
    started = lanes._started

    def struck(*arguments: Any) -> subprocess.Popen[bytes]:
        process = started(*arguments)
        os.kill(process.pid, signal.SIGKILL)
        return process

    monkeypatch.setattr(lanes, "_started", struck)
    assert in_lanes(sound, monkeypatch) == alone


def test_no_lane_outlives_a_replay_that_fails(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes: list[subprocess.Popen[bytes]] = []
    started = lanes._started

    def noted(*arguments: Any) -> subprocess.Popen[bytes]:
        processes.append(started(*arguments))
        return processes[-1]

    def interrupted(*arguments: object) -> lanes.Part:
        raise KeyboardInterrupt

    monkeypatch.setattr(lanes, "_started", noted)
    monkeypatch.setattr(lanes, "replay_arms", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_lanes(sound, monkeypatch)
    assert [process.poll() for process in processes] == [-signal.SIGKILL] * 2
