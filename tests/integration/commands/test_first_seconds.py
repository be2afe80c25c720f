"""The first seconds of a command: what it loads, what it says, and Ctrl-C and odd terminals."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "ray", "transformers")
CHECKING = (*HEAVY, "scipy.stats", "scipy.special", "networkx", "matplotlib", "polars", "choix")
"""What a configuration is checked without."""

SCRIPTED: dict[str, Any] = {
    "name": "first",
    "population": {"size": 4, "generations": 1},
    "protocol": {"graders": 2},
    "agents": {"model": "scripted"},
    "metrics": {"port": 0},
    "problems_per_generation": 4,
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A run without a model."""
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(SCRIPTED))
    return path


def python(
    code: str, *arguments: object, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=200,
        check=False,
    )


COMMAND = "from mgptn.experiments.entry import main; main()"
ONE_BY_ONE = """
import json, sys
commands, names = json.loads(sys.argv[1])
for words in commands:
    sys.argv[1:] = words
    status = 0
    try:
        from mgptn.experiments.entry import main; main()
    except SystemExit as end:
        status = end.code or 0
    loaded = [name for name in names if name in sys.modules]
    print("LOADED", json.dumps([status, loaded]), flush=True)
"""


def loaded(names: tuple[str, ...], commands: list[list[Any]]) -> list[tuple[int, list[str]]]:
    """Each command's status, and which of some modules are loaded after it: all in one process."""
    words = [[str(word) for word in command] for command in commands]
    done = python(ONE_BY_ONE, json.dumps([words, names]))
    assert done.returncode == 0, done.stderr.decode()
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("LOADED ")]
    return [tuple(json.loads(line.partition(" ")[2])) for line in lines]


# What is loaded


def test_a_refused_configuration_loads_nothing_heavy(config: Path) -> None:
    faults = (
        "populaton.size=3",
        "population.size=many",
        "population.size",
        "protocol.graders=9",
        "protocol.topology=rnig",
    )
    commands = [["run", config, "--set", fault] for fault in faults]
    commands.append(["run", "missing.yaml"])
    commands += [
        [command, config, "--set", "populaton.size=3"]
        for command in ("sweep", "compare-protocols", "robustness")
    ]
    assert loaded(CHECKING, commands) == [(1, [])] * len(commands)


def test_an_accepted_configuration_loads_nothing_heavy(config: Path, tmp_path: Path) -> None:
    """Roles, models looked up as files, a topology by strength: all by name alone."""
    rich = SCRIPTED | {
        "population": {"size": 8, "adversaries": {"clique": 0.25}},
        "agents": {"model": "gpt-1/*,gpt-3"},
        "protocol": {"graders": 1, "topology": "strong-grades-weak"},
        "selector": {"peers": 0.5, "human": 0.5},
    }
    other = tmp_path / "rich.yaml"
    other.write_text(yaml.safe_dump(rich))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mgptn.experiments.config.run_config import load_config\n"
        "for path in sys.argv[1:]: load_config(Path(path))\n"
        f"print('LOADED', *[name for name in {CHECKING!r} if name in sys.modules])"
    )
    bundled = sorted((ROOT / "experiments" / "configs").glob("*.yaml"))
    done = python(code, config, other, *bundled)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().split() == ["LOADED"]


def test_what_only_lists_loads_neither_torch_nor_ray() -> None:
    lists = ("tasks", "tasks addition", "protocols", "models", "experiment list")
    assert loaded(HEAVY, [words.split() for words in lists]) == [(0, [])] * len(lists)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without a model, made by the command on a terminal that prints ASCII alone."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "config.yaml").write_text(yaml.safe_dump(SCRIPTED))
    done = python(
        COMMAND, "run", "config.yaml", "--out", "run", cwd=folder, PYTHONIOENCODING="ascii"
    )
    (folder / "stdout.txt").write_bytes(done.stdout)
    (folder / "stderr.txt").write_bytes(done.stderr)
    assert done.returncode == 0, done.stderr.decode()
    return folder


def test_a_terminal_without_unicode_gets_plainer_letters(run_folder: Path) -> None:
    """× in the title of the live table once ended the run after its journal had been begun."""
    out = (run_folder / "stdout.txt").read_text(encoding="ascii")
    assert "first: 4 x scripted on addition" in out
    assert "loading libraries ..." in (run_folder / "stderr.txt").read_text(encoding="ascii")


def test_standard_output_has_results_alone(run_folder: Path) -> None:
    out = (run_folder / "stdout.txt").read_text().splitlines()
    assert not [line for line in out if "loading" in line or "preparing" in line]
    assert out[-1].startswith("population hash: ")


def test_what_reads_a_run_loads_neither_torch_nor_ray(run_folder: Path) -> None:
    commands = [[command, run_folder / "run"] for command in ("replay", "report", "transcript")]
    assert loaded(HEAVY, commands) == [(0, [])] * len(commands)


# What is said


def test_a_reader_that_has_had_enough_ends_it_without_a_traceback(run_folder: Path) -> None:
    line = f"{sys.executable} -m mgptn.experiments replay run 2>&1 | head -1"
    done = subprocess.run(
        ["bash", "-c", line], cwd=run_folder, capture_output=True, text=True, timeout=200
    )
    assert done.stdout == "loading libraries …\n"
    assert done.stderr == ""


# Ctrl-C


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(s, marks=() if s in (0.8, 2.0) else pytest.mark.slow)
        for s in (0.4, 0.8, 1.3, 2.0, 3.1)
    ],
)
def test_an_interrupt_in_the_first_seconds_ends_it_with_a_sentence(
    tmp_path: Path, config: Path, seconds: float
) -> None:
    """A model's run, so that it takes longer than any of these to write anything."""
    out = tmp_path / "run"
    words = ["run", config, "--set", "agents.model=gpt-1", "--set", "hosts.count=1", "--out", out]
    # The start of Python itself is nobody's to mend: the clock runs from our first line.
    code = f"print('begun', flush=True); {COMMAND}"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert said.endswith("\nInterrupted before anything was written.\n")
    assert "Traceback" not in said
    assert not (out / "journal.msgpack").exists()
