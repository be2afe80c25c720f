"""Runs with a Ray of their own: who can reach it, what ends it, and what is left behind."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from mgptn.agents.hosts.ray.folders import PREFIX, sweep
from mgptn.experiments.record.reading import read_journal
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.running.run import run
from mgptn.experiments.views.metrics_server import USUAL

ELSEWHERE: frozenset[str] = frozenset()
"""Processes of a run that listen on other addresses than loopback: Ray can be told otherwise for
all of them. One that is entered here is named in docs/how-to/cluster.md, with its risk."""


class Life:
    """A run with a Ray of its own, in the middle of it."""

    def __init__(self, command: Any, folder: Path, temporary: Path) -> None:
        self.command = command
        self.folder = folder
        self.temporary = temporary
        me = psutil.Process(command.process.pid)
        self.processes = [me, *me.children(recursive=True)]

    def process(self, name: str) -> psutil.Process:
        """The one of its processes with this name."""
        (found,) = [p for p in self.processes if p.name().startswith(name)]
        return found

    def session_folders(self) -> list[Path]:
        """The private folders of runs that there are."""
        return list(self.temporary.glob(f"{PREFIX}*"))


@pytest.fixture
def life(start: Any, small: Any, config_file: Any, tmp_path: Path) -> Iterator[Life]:
    """A long run that has committed a generation, with a port for metrics."""
    temporary = Path("/tmp") / f"t{os.getpid()}"
    config = small({"population.generations": 500, "task.size": 3, "metrics.port": "auto"})
    folder = tmp_path / "run"
    command = start(
        *("run", config_file(config), "--out", folder, "--no-controls"),
        prefix=f"RAY_TMPDIR={temporary}",
    )
    command.wait_for_commits(folder, 1)
    yield Life(command, folder, temporary)
    if command.process.poll() is None:
        command.kill()
    with suppress(OSError):
        temporary.rmdir()


def test_a_run_listens_on_loopback_alone_and_rays_death_ends_it_with_what_to_do(
    life: Life, eventually: Any
) -> None:
    listening = []
    for process in life.processes:
        with suppress(psutil.Error):  # some of Ray's end soon after they have begun
            listening += [
                (process.name(), connection.laddr.ip)
                for connection in process.net_connections(kind="inet")
                if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
            ]
    # The driver's metrics and Ray's own: what is not seen cannot be wrong.
    assert {"gcs_server", "raylet"} <= {name for name, _ in listening}
    assert len(listening) >= 8
    for name, address in listening:
        ip = ipaddress.ip_address(address)
        ip = getattr(ip, "ipv4_mapped", None) or ip
        assert ip.is_loopback or name in ELSEWHERE, (name, address)
    # Whoever connects all the same, as other users of this machine can, needs a token.
    for name in ("gcs_server", "raylet"):
        assert life.process(name).environ()["RAY_AUTH_MODE"] == "token"
    (private,) = life.session_folders()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    life.process("gcs_server").kill()
    assert life.command.wait(60) == 1
    said = life.command.output.rstrip().splitlines()[-1]
    assert said.startswith("Error: ray: expected it to go on, but its gcs_server (process ")
    assert said.endswith(f"has ended; carry the run on with: mgptn resume {life.folder}")
    assert "Traceback" not in life.command.output
    assert read_journal(life.folder / JOURNAL).damage is None
    assert life.session_folders() == []
    eventually(lambda: not any(map(alive, life.processes)), "all of Ray to end")


def alive(process: psutil.Process) -> bool:
    """Is it running, and not only waiting to be asked how it ended?

    Ray's own agents outlive it a while, and hold neither memory nor CPUs to speak of.
    """
    with suppress(psutil.Error):
        ended = process.status() == psutil.STATUS_ZOMBIE or process.name().endswith("Agent")
        return process.is_running() and not ended
    return False


@pytest.mark.slow
def test_the_death_of_the_raylet_ends_a_run_with_what_to_do(life: Life) -> None:
    life.process("raylet").kill()
    assert life.command.wait(60) == 1
    said = life.command.output.rstrip().splitlines()[-1]
    assert f"has ended; carry the run on with: mgptn resume {life.folder}" in said
    assert "Traceback" not in life.command.output
    assert life.session_folders() == []


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_interrupted_once_or_twice_a_run_says_how_to_go_on(
    life: Life, eventually: Any, times: int
) -> None:
    for _ in range(times):
        life.command.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    assert life.command.wait(60) == 130
    said = life.command.output.rstrip().splitlines()[-1]
    assert said.endswith(f"Carry on with: mgptn resume {life.folder}")
    assert "Traceback" not in life.command.output
    eventually(lambda: not any(map(alive, life.processes)), "all of Ray to end")
    if times == 1:
        assert life.session_folders() == []
    else:
        assert sweep(life.temporary) != []
        assert life.session_folders() == []


def test_a_run_that_names_no_port_says_where_it_is_if_the_usual_one_is_taken(
    small: Any, tmp_path: Path, console: Console
) -> None:
    config = small({"agents.model": "scripted", "metrics.port": "auto"})
    with ExitStack() as stack:
        with suppress(OSError):  # another's, and so taken already
            stack.enter_context(socket.create_server(("127.0.0.1", USUAL)))
        run(config, tmp_path / "run", console, controls=False)
    said: Any = console.file
    assert f"metrics: port {USUAL} is in use, so Prometheus finds this run at" in said.getvalue()
