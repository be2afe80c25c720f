"""The first seconds of a command: what it loads, what it says, and Ctrl-C and odd terminals."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

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


def loaded(code: str, names: tuple[str, ...], *arguments: object) -> list[str]:
    """Which of some modules are loaded once code has run; a command may end itself."""
    done = python(
        f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', *[name for name in {names!r} if name in sys.modules])",
        *arguments,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()[-1].split()[1:]


COMMAND = "from mgptn.experiments.entry import main; main()"


# What is loaded


@pytest.mark.parametrize(
    "fault",
    [
        ("--set", "populaton.size=3"),
        ("--set", "population.size=many"),
        ("--set", "population.size"),
        ("--set", "protocol.graders=9"),
        ("--set", "protocol.topology=rnig"),
        ("missing.yaml",),
    ],
    ids=" ".join,
)
def test_a_refused_configuration_loads_nothing_heavy(config: Path, fault: tuple[str, ...]) -> None:
    arguments = ["run", *fault] if len(fault) == 1 else ["run", config, *fault]
    assert loaded(COMMAND, CHECKING, *arguments) == []


@pytest.mark.parametrize("command", ["sweep", "compare-protocols", "robustness"])
def test_other_commands_refuse_as_soon(config: Path, command: str) -> None:
    assert loaded(COMMAND, CHECKING, command, config, "--set", "populaton.size=3") == []


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
        "from pathlib import Path; from mgptn.experiments.config.run_config import load_config; "
        "[load_config(Path(path)) for path in sys.argv[1:]]"
    )
    bundled = sorted((ROOT / "experiments" / "configs").glob("*.yaml"))
    assert loaded(code, CHECKING, config, other, *bundled) == []


@pytest.mark.parametrize(
    "words",
    ["tasks", "tasks addition", "protocols", "models", "experiment list"],
)
def test_what_only_lists_loads_neither_torch_nor_ray(words: str) -> None:
    assert loaded(COMMAND, HEAVY, *words.split()) == []


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


@pytest.mark.parametrize("words", ["replay run", "report run", "transcript run"])
def test_what_reads_a_run_loads_neither_torch_nor_ray(run_folder: Path, words: str) -> None:
    command, name = words.split()
    assert loaded(COMMAND, HEAVY, command, run_folder / name) == []


# What is said


def test_a_reader_that_has_had_enough_ends_it_without_a_traceback(run_folder: Path) -> None:
    line = f"{sys.executable} -m mgptn.experiments replay run 2>&1 | head -1"
    done = subprocess.run(
        ["bash", "-c", line], cwd=run_folder, capture_output=True, text=True, timeout=200
    )
    assert done.stdout == "loading libraries …\n"
    assert done.stderr == ""


# Ctrl-C


@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.3, 2.0, 3.1])
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
