"""Real hosts in processes of their own: killed, replaced, too many of them, never coming up."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
from rich.console import Console

from mgptn.agents.checkpoints import BUNDLED
from mgptn.agents.hosts.counting import host_count
from mgptn.agents.hosts.fleet import Fleet, FleetError, LocalFleet, Rounds
from mgptn.agents.hosts.ray_arrivals import ATTEMPTS
from mgptn.agents.hosts.ray_fleet import RayFleet
from mgptn.agents.requests import HostReply, Tile, TileReply
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.record.rounds import JOURNAL, population_hash, read_rounds
from mgptn.experiments.running.run import run
from mgptn.experiments.setting.stage import Stage

pytestmark = pytest.mark.usefixtures("ray_address")


class Recorder(Rounds):
    """A fleet that keeps every tile and its replies."""

    alive = 1
    restarts = 0

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.tiles: list[Tile] = []
        self.replies: list[tuple[HostReply, ...]] = []

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        replies = self.fleet.run(tiles)
        self.tiles += tiles
        self.replies += [reply.replies for reply in replies]
        return replies

    def close(self) -> None:
        self.fleet.close()


@pytest.fixture(scope="module")
def work(small: Any, local_fleet: Fleet) -> Recorder:
    """The tiles of a run of the bundled model, and the replies of the host in this process."""
    recorder = Recorder(local_fleet)
    list(Simulation(small({"hosts.slots": 2}), fleet=recorder))
    assert len(recorder.tiles) >= 8
    return recorder


@pytest.fixture(scope="module")
def two(small: Any) -> Iterator[RayFleet]:
    """Two hosts that the tests of this module kill in turn."""
    fleet = Stage(small({"hosts.count": 2})).ray_fleet()
    yield fleet
    fleet.close()


def bits(replies: Sequence[TileReply]) -> list[tuple[HostReply, ...]]:
    """The replies without what they cost."""
    return [reply.replies for reply in replies]


def test_graders_with_their_own_context_say_the_same_on_two_hosts(
    two: RayFleet, small: Any, course: Any
) -> None:
    own = {"protocol.grader_context": "own", "protocol.threshold": 0.0}
    here = course(small(own))
    assert list(Simulation(small(own), fleet=two)) == here
    # And what graders remember does reach their grades.
    empty = course(small({**own, "protocol.grader_context": "empty"}))
    assert here[0] == empty[0]
    assert [o.grades for o in here[1].outcomes] != [o.grades for o in empty[1].outcomes]


def test_a_host_killed_with_tiles_in_hand_is_replaced(two: RayFleet, work: Recorder) -> None:
    victim, restarts = two.process_ids[1], two.restarts
    # A stopped host keeps the tiles it has been given: nothing can end before it is killed.
    os.kill(victim, signal.SIGSTOP)
    killer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
    killer.start()
    replies = two.run(work.tiles)
    assert not killer.is_alive()
    assert bits(replies) == work.replies
    assert two.restarts == restarts + 1
    assert victim not in two.process_ids


def test_hosts_that_rest_are_gone_until_there_is_work(two: RayFleet, work: Recorder) -> None:
    before, restarts = [psutil.Process(pid) for pid in two.process_ids], two.restarts
    two.rest()
    psutil.wait_procs(before, timeout=20)
    assert not [one for one in before if one.is_running()]
    assert two.alive == 0
    assert two.run([]) == []
    assert two.alive == 0
    assert bits(two.run(work.tiles)) == work.replies
    assert (two.alive, two.restarts) == (2, restarts)


@pytest.mark.slow
def test_a_host_that_hangs_is_told_of_and_replaced(
    two: RayFleet, work: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    two.run(work.tiles)  # so that it is known how long a tile takes
    victim, restarts = two.process_ids[0], two.restarts
    monkeypatch.setattr(two._patience, "least", 1.0)
    os.kill(victim, signal.SIGSTOP)
    replies = two.run(work.tiles)
    assert bits(replies) == work.replies
    assert two.restarts == restarts + 1
    assert victim not in two.process_ids
    assert f"(process {victim}) owes a tile to generate for" in caplog.text
    assert "is given up, and another started" in caplog.text


def test_hosts_killed_between_runs_are_replaced(two: RayFleet, work: Recorder) -> None:
    before, restarts = two.process_ids, two.restarts
    for process in before:
        os.kill(process, signal.SIGKILL)
    assert bits(two.run(work.tiles)) == work.replies
    assert two.restarts == restarts + 2
    assert not set(two.process_ids) & set(before)
    assert two.alive == 2


@pytest.mark.parametrize(
    "lost",
    ["OutOfMemoryError", pytest.param("WorkerCrashedError", marks=pytest.mark.slow)],
)
def test_a_host_lost_in_another_way_is_replaced_too(
    two: RayFleet, work: Recorder, lost: str
) -> None:
    """One that raises what Ray raises where its memory, or what a tile lies in, is gone."""
    restarts, before = two.restarts, set(two.process_ids)
    replaced = _put_failing(two, getattr(ray.exceptions, lost)("gone"))
    ray.kill(replaced.actor)  # its place is free for the next
    assert bits(two.run(work.tiles)) == work.replies
    assert two.restarts == restarts + 1
    now = two.process_ids  # waits for the replacement
    assert len(now) == 2
    assert len(set(now) & before) == 1


def test_what_a_tile_raises_ends_the_run_with_its_own_message(
    two: RayFleet, work: Recorder
) -> None:
    restarts = two.restarts
    true = _put_failing(two, ValueError("tile: expected weights of here"))
    with pytest.raises(ValueError, match="tile: expected weights of here"):
        two.run(work.tiles)
    assert two.restarts == restarts
    two._live[max(two._live)] = true


def _put_failing(fleet: RayFleet, error: Exception) -> Any:
    """In place of the last host one that cannot do its work; returns what was there."""

    @ray.remote(num_cpus=0)
    class Failing:
        def run(self, tile: Tile) -> TileReply:
            raise error

    number = max(fleet._live)
    true = fleet._live[number]
    fleet._live[number] = replace(true, actor=Failing.remote())
    return true


@pytest.mark.slow
def test_a_run_whose_host_is_killed_counts_it_and_reaches_the_same_hash(
    small: Any, course: Any, host_processes: Any, recorded: Any, tmp_path: Path
) -> None:
    config = small({"hosts.count": 2, "population.generations": 8})
    folder = tmp_path / "run"
    known = {process.pid for process in host_processes()}
    killed: list[int] = []
    over = threading.Event()

    def kill_one() -> None:
        while not (folder / JOURNAL).exists() and not over.is_set():
            time.sleep(0.01)
        victim = next(p.pid for p in host_processes() if p.pid not in known)
        while not recorded(folder) and not over.is_set():
            time.sleep(0.002)
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)

    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        finished = run(config, folder, Console(quiet=True), controls=False)
    finally:
        over.set()
        killer.join()
    assert killed
    restarts = [done.committed[0].counters["host_restarts"] for done in read_rounds(folder)]
    assert sum(restarts) == 1
    assert finished.population_hash == population_hash(course(small({"population.generations": 8})))


class Losing(LocalFleet):
    """One host in this process, which tells of hosts lost with the last tile it was given."""

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        replies = super().run(tiles)
        replies[-1].work.host_restarts = 2
        return replies


def test_lost_hosts_are_booked_on_the_run_whose_tile_they_were_lost_with(small: Any) -> None:
    stages = [Stage(small({"seed": seed})) for seed in (0, 1)]
    simulations = [Simulation(stage.config, stage=stage) for stage in stages]
    first, last = step_together(simulations, Losing(stages[0].host_settings("cpu")))
    rounds = 2  # answers are asked, then grades
    assert (first.counters["host_restarts"], last.counters["host_restarts"]) == (0, 2 * rounds)


def test_hosts_that_never_come_up_are_a_fleet_error(small: Any) -> None:
    stage = Stage(small())
    settings = stage.host_settings("cpu")
    object.__setattr__(settings, "weights", "0" * 64)
    with pytest.raises(
        FleetError, match=r"hosts: expected them to come up, got 3 in a row"
    ) as caught:
        RayFleet(settings, 1)
    assert "with weights hash 0000" in str(caught.value)


@pytest.mark.slow
def test_hosts_that_always_die_are_a_fleet_error_after_bounded_attempts(
    small: Any, tmp_path: Path, work: Recorder
) -> None:
    model = tmp_path / "model"
    shutil.copytree(BUNDLED / "gpt-3/0", model)
    stage = Stage(small({"agents.model": str(model)}))
    fleet = RayFleet(stage.host_settings("cpu"), 1)
    try:
        # From now on a host cannot load the model.
        (model / "model.safetensors").write_bytes(b"")
        os.kill(fleet.process_ids[0], signal.SIGKILL)
        with pytest.raises(
            FleetError, match=f"hosts: expected them to come up, got {ATTEMPTS} in a row"
        ):
            fleet.run(work.tiles)
        assert fleet.restarts == 1
        assert fleet.alive == 0
    finally:
        fleet.close()


@pytest.mark.parametrize(("cpus", "agents"), [(1, 2), pytest.param(4, 5, marks=pytest.mark.slow)])
def test_one_host_an_agent_and_more_hosts_than_cpus(
    small: Any,
    two: RayFleet,
    eventually: Any,
    monkeypatch: pytest.MonkeyPatch,
    cpus: int,
    agents: int,
) -> None:
    config = small({"population.size": agents, "protocol.graders": 1, "hosts.count": "per-agent"})
    assert host_count("per-agent", "cpu", agents, 1.0) == agents
    two.close()  # more hosts than the CPUs that are left would wait for ever
    assert ray.cluster_resources()["CPU"] == 4
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": float(cpus)})
    before = ray.available_resources()["CPU"]
    fleet = Stage(config).ray_fleet()
    try:
        assert fleet.alive == agents
        assert before - ray.available_resources().get("CPU", 0.0) <= cpus
        processes = fleet.process_ids
        assert len(set(processes)) == agents
    finally:
        fleet.close()
    eventually(lambda: not any(map(psutil.pid_exists, processes)), "closed hosts to end")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:1",
        pytest.param("nonsense:port", marks=pytest.mark.slow),
        pytest.param("nowhere.invalid:6379", marks=pytest.mark.slow),
    ],
)
def test_a_wrong_ray_address_is_said_soon(
    start: Any, small: Any, config_file: Any, tmp_path: Path, address: str
) -> None:
    out = tmp_path / "run"
    command = start("run", config_file(small()), "--out", out, "--ray-address", address)
    assert command.wait(120) == 1
    assert f"expected a Ray cluster at {address}, got:" in command.output
    assert "Traceback" not in command.output
    assert not out.exists()
