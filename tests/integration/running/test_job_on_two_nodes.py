"""Submitted jobs on a Ray of two nodes, each with a disk and shared memory of its own."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.rounds import population_hash
from mgptn.experiments.running.session import WEIGHTS
from tests.learners import LEARNING
from tests.lives import SOON, generations_at
from tests.ports import free_port
from tests.quarters import NotAllowedError, Quarters, quarters

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

RAY = Path(sys.executable).with_name("ray")
MGPTN = Path(sys.executable).with_name("mgptn")


class Nodes:
    """A Ray of nodes, the first of which is its head; each in quarters of its own.

    What they have in common is the file system, but for what is mounted over it.
    """

    def __init__(self, stack: ExitStack, logs: Path) -> None:
        self._stack, self._logs = stack, logs
        self.quarters: list[Quarters] = []
        self.port, self.jobs = free_port(), free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{self.jobs}",
        }

    @property
    def address(self) -> str:
        """Where its head is."""
        return f"127.0.0.1:{self.port}"

    def ready(self) -> Quarters:
        """Quarters for a further node."""
        self.quarters.append(self._stack.enter_context(quarters()))
        return self.quarters[-1]

    def begin(self, here: Quarters, cpus: int, **resources: float) -> None:
        """Start a node in quarters, the head if it is the first; returns once it counts."""
        head = here is self.quarters[0]
        role = (
            [
                *("--head", f"--port={self.port}", "--include-dashboard=true"),
                *("--dashboard-host=127.0.0.1", f"--dashboard-port={self.jobs}"),
                *("--disable-usage-stats", f"--temp-dir={here.ray}/r"),
                f"--ray-client-server-port={free_port()}",
            ]
            if head
            else [f"--address={self.address}"]
        )
        number = len(self.quarters)
        with (self._logs / f"node-{number}.log").open("wb") as log:
            started = subprocess.Popen(
                [*here.entering, RAY, "start", "--block", "--node-ip-address=127.0.0.1",
                 f"--num-cpus={cpus}", f"--resources={json.dumps(resources)}",
                 f"--dashboard-agent-listen-port={free_port()}", *role],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self._stack.callback(started.wait)
        self._stack.callback(started.kill)
        until = time.monotonic() + SOON
        while self.alive() < number or (head and self.told("job", "list").returncode != 0):
            assert time.monotonic() < until, self.log(number)
            assert started.poll() is None, self.log(number)
            time.sleep(1.0)

    def log(self, number: int) -> str:
        """What a node has said."""
        return (self._logs / f"node-{number}.log").read_text()[-3000:]

    def told(self, *arguments: Any) -> subprocess.CompletedProcess[str]:
        """What Ray's command answers, from the head."""
        return subprocess.run(
            [*self.quarters[0].entering, RAY, *map(str, arguments)],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def alive(self) -> int:
        """Nodes that Ray takes for alive."""
        said = self.told("status", f"--address={self.address}").stdout
        active = said.partition("Active:")[2].partition("Pending:")[0]
        return active.count(" 1 node_")

    def submit(self, *command: Any, **resources: float) -> str:
        """Submit a command as a job, to a node that has these resources; its id."""
        name = f"job-{secrets.token_hex(4)}"
        until = time.monotonic() + SOON
        while True:
            done = self.told(
                *("job", "submit", "--no-wait", f"--submission-id={name}"),
                f"--entrypoint-resources={json.dumps(resources)}",
                *("--", *command),
            )
            if done.returncode == 0:
                return name
            # The jobs API answers before it can take any.
            assert "No available agent" in done.stderr, done.stdout + done.stderr
            assert time.monotonic() < until, done.stderr

    def status(self, job: str) -> str:
        """Of a job: one word."""
        done = self.told("job", "status", job)
        said = (done.stdout + done.stderr).upper()  # an end is told in another way than the rest
        words = ("PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED")
        return next((word for word in words if word in said), "")

    def wait_for(self, job: str) -> str:
        """The status in which a job ends."""
        until = time.monotonic() + SOON
        while (status := self.status(job)) not in ("STOPPED", "SUCCEEDED", "FAILED"):
            assert time.monotonic() < until, f"{job} is {status}"
            time.sleep(2.0)
        return status

    def said(self, job: str) -> str:
        """What a job has printed."""
        return self.told("job", "logs", job).stdout


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    """No node yet; whatever is started is ended."""
    try:
        with ExitStack() as stack:
            yield Nodes(stack, tmp_path)
    except NotAllowedError as error:
        pytest.skip(f"this machine does not allow {error}")


def of_runs(here: Quarters) -> list[str]:
    """Processes in quarters that belong to a run, and not to Ray: how they were called."""
    called = []
    for process in here.processes():
        with suppress(psutil.Error):
            called.append(" ".join(process.cmdline()))
    return [told for told in called if "HostActor" in told or str(MGPTN) in told]


def test_a_job_whose_node_is_killed_is_resumed_on_another_to_the_same_hash(
    nodes: Nodes, longest: RunConfig, longest_hash: str, config_file: Any, eventually: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    folder = tmp_path / "shared/run"
    folder.parent.mkdir()
    head = nodes.ready()
    nodes.begin(head, cpus=1, head=1)
    second = nodes.ready()
    nodes.begin(second, cpus=1, second=1)
    shared = set(head.seen(Path("/dev/shm")).iterdir())
    run = nodes.submit(
        MGPTN, "run", config_file(longest), "--out", folder, "--no-controls", second=1
    )
    eventually(lambda: len(generations_at(folder)) >= 2, "two commits", SOON)
    # The driver is on the second node, and a host on each.
    there = of_runs(second)
    assert any(str(MGPTN) in told for told in there), nodes.said(run)
    assert any("HostActor" in told for told in of_runs(head)), (there, of_runs(head))
    second.end()
    assert second.left().keys() <= {"folders of Ray"}
    eventually(lambda: nodes.alive() == 1, "Ray to notice", SOON)
    assert nodes.status(run) != "SUCCEEDED"
    assert len(generations_at(folder)) < longest.population.generations
    eventually(lambda: not of_runs(head), "the host on the head to end", SOON)
    again = nodes.submit(MGPTN, "resume", folder, head=1)
    assert nodes.wait_for(again) == "SUCCEEDED", nodes.said(again)
    assert f"population hash: {longest_hash}" in nodes.said(again)
    eventually(lambda: not of_runs(head), "all of the run to end", SOON)
    assert set(head.seen(Path("/dev/shm")).iterdir()) == shared


def test_weights_come_as_objects_to_a_node_that_lacks_their_files(
    nodes: Nodes, start: Any, local_stage: Any, config_file: Any, tmp_path: Path
) -> None:
    config = check_config(
        {
            **LEARNING,
            "population": {**LEARNING["population"], "generations": 4},
            "hosts": {**LEARNING["hosts"], "count": 2},
        }
    )
    stage, fleet = local_stage(config)
    undisturbed = population_hash(Simulation(config, stage=stage, fleet=fleet))
    folder = tmp_path / "unshared/run"
    folder.parent.mkdir()
    head = nodes.ready()
    nodes.begin(head, cpus=0)
    second = nodes.ready()
    second.mount(folder.parent, 1 << 20)
    nodes.begin(second, cpus=2)
    variables = {name: nodes.environment[name] for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")}
    command = start(
        *("run", config_file(config), "--out", folder, "--no-controls"),
        *("--ray-address", nodes.address),
        prefix=head.prefix(**variables),
    )
    command.wait_for_commits(folder, 1, SOON)
    # Hosts are where nothing of the run's folder is.
    assert len(of_runs(second)) == 2
    assert list(second.seen(folder.parent).iterdir()) == []
    assert list((folder / WEIGHTS).iterdir()) != []
    assert command.wait(SOON) == 0, command.output
    assert command.output.rstrip().endswith(f"population hash: {undisturbed}")
