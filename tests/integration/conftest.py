"""What integration tests share: one started Ray, one host in this process, the command itself."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
import yaml
from rich.console import Console

from mgptn.agents.hosts.fleet import Fleet, LocalFleet
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.figures.files import FIGURES
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.record.rounds import JOURNAL, generations_of, read_rounds
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.generation import Generation

MGPTN = Path(sys.executable).with_name("mgptn")

SMALL: dict[str, Any] = {
    "name": "small",
    "seed": 5,
    "population": {"size": 4, "generations": 3},
    "protocol": {"graders": 2},
    "hosts": {"count": 1, "device": "cpu"},
    "metrics": {"port": 0},
    "problems_per_generation": 4,
}

Small = Callable[..., RunConfig]
Course = Callable[..., list[Generation]]


@pytest.fixture(scope="session", autouse=True)
def founders_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Founders that tests need are trained into a folder of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGPTN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="module")
def one_figure(request: pytest.FixtureRequest) -> Iterator[None]:
    """In this process runs end with one figure alone, or two: to draw all takes seconds.

    A module that is about what a run writes says ``EVERY_FIGURE = True``.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not getattr(request.module, "EVERY_FIGURE", False):
            first = {name: FIGURES[name] for name in ("reach", "error")}
            patch.setattr("mgptn.experiments.figures.files.FIGURES", first)
        yield


@pytest.fixture(params=["one figure", pytest.param("every figure", marks=pytest.mark.slow)])
def figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's runs end with one figure; among the slow tests, with all."""
    if request.param == "every figure":
        monkeypatch.setattr("mgptn.experiments.figures.files.FIGURES", FIGURES)


@pytest.fixture(scope="session")
def small() -> Small:
    """Makes a small run's configuration: ``small({"population.size": 3})``."""

    def make(changes: dict[str, Any] | None = None) -> RunConfig:
        data = copy.deepcopy(SMALL)
        for path, value in (changes or {}).items():
            *sections, leaf = path.split(".")
            here = data
            for section in sections:
                here = here.setdefault(section, {})
            here[leaf] = value
        return check_config(data)

    return make


@pytest.fixture(scope="session")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[RunConfig], Path]:
    """Writes a configuration as the YAML file that the command reads."""

    def write(config: RunConfig) -> Path:
        path = tmp_path_factory.mktemp("config") / "config.yaml"
        path.write_text(yaml.safe_dump(config.model_dump(mode="json")))
        return path

    return write


@pytest.fixture
def console() -> Console:
    """Keeps what is said, in ``console.file``."""
    return Console(file=StringIO(), width=200)


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """The address of the Ray that all tests of a session share; under xdist, of one process.

    Tests look only at processes below their own, and end no others.
    """
    ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


@pytest.fixture(scope="session")
def local_fleet(small: Small) -> Fleet:
    """A host of the bundled model in this process."""
    return LocalFleet(Stage(small()).host_settings("cpu"))


@pytest.fixture(scope="session")
def course(local_fleet: Fleet) -> Course:
    """Every generation of a configuration's arm, undisturbed, on the host in this process."""

    @functools.cache
    def generations(config: RunConfig, arm: str = SELECTED) -> list[Generation]:
        return list(Simulation(config, arm=arm, fleet=local_fleet))

    return generations


@pytest.fixture(scope="session")
def write_run(local_fleet: Fleet) -> Callable[..., Path]:
    """Runs a configuration in a folder, on the host in this process unless a fleet is given."""

    def write(
        config: RunConfig,
        folder: Path,
        fleet: Fleet = local_fleet,
    ) -> Path:
        session = Session.create(folder, config, (SELECTED,), Stage(config), "cpu")
        while not session.finished:
            advance([session], fleet)
        session.end()
        session.close()
        return folder

    return write


@dataclass
class Command:
    """A started `mgptn`, its output in a file."""

    process: subprocess.Popen[bytes]
    log: Path
    seen: list[psutil.Process] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait_for_commits(self, folder: Path, count: int, timeout: float = 120) -> None:
        """Return as soon as a run's journal holds this many generations; 0: as it is begun."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            begun = (folder / JOURNAL).exists() and (folder / JOURNAL).stat().st_size
            if begun and len(generations_in(folder)) >= count:
                return
            assert self.process.poll() is None, f"ended before commit {count}:\n{self.output}"
            time.sleep(0.002)
        raise AssertionError(f"no commit {count} after {timeout} s:\n{self.output}")

    def kill(self) -> None:
        """SIGKILL to the command alone; what it has started must end by itself."""
        self.seen = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()

    def wait(self, timeout: float = 120) -> int:
        """The exit status."""
        return self.process.wait(timeout)


Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts `mgptn` with arguments, in an empty folder; ends it with the test.

    `prefix` is put before it on a shell's command line.
    """
    commands: list[Command] = []
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}

    def begin(*arguments: Any, prefix: str = "") -> Command:
        folder = tmp_path_factory.mktemp("command")
        log = folder / "output.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f'{prefix} exec "$@"', "bash", MGPTN, *map(str, arguments)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        commands.append(Command(process, log))
        return commands[-1]

    yield begin
    for command in commands:
        if command.process.poll() is None:
            command.kill()
        for left in command.seen:
            if left.is_running():
                left.kill()


@pytest.fixture(scope="session")
def host_processes() -> Callable[[], list[psutil.Process]]:
    """The processes of Ray hosts that live below this one, whoever asked for them."""

    def processes() -> list[psutil.Process]:
        found = []
        for process in psutil.Process().children(recursive=True):
            try:
                if any(part.startswith("ray::HostActor") for part in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    return processes


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Waits until a condition holds."""

    def wait(holds: Callable[[], object], what: str, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, f"expected {what} within {timeout:g} s"
            time.sleep(0.05)

    return wait


def generations_in(folder: Path) -> list[Generation]:
    """What a folder's journal holds of the selected arm."""
    try:
        return generations_of(list(read_rounds(folder)), SELECTED)
    except JournalError:
        return []  # not even its first line is written yet


@pytest.fixture(scope="session")
def recorded() -> Callable[[Path], list[Generation]]:
    """What a folder's journal holds of the selected arm."""
    return generations_in


@pytest.fixture(scope="session")
def contents_of() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder, by its path in it."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return read
