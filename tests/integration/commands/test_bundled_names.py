"""Bundled configurations on the command line: by name wherever a CONFIG is taken, and copied."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mgptn.experiments.cli import main
from mgptn.experiments.config.bundled import CONFIGS
from mgptn.experiments.config.run_config import load_config

TAKE_A_CONFIG = ("run", "sweep", "compare-protocols", "robustness")
QUICK = (
    *("agents.model=scripted", "population.generations=1", "problems_per_generation=4"),
    "metrics.port=0",
)
SET = [word for change in QUICK for word in ("--set", change)]


def mgptn(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", TAKE_A_CONFIG)
def test_every_command_finds_one_by_name_and_lists_them_for_a_typo(command: str) -> None:
    found = mgptn(command, "quickstart", "--set", "population.size=1")
    assert f"{CONFIGS / 'quickstart.yaml'}:\n  population.size: expected" in found.output
    typo = mgptn(command, "quikstart")
    assert typo.exit_code == 1
    assert "did you mean quickstart?" in typo.output


def test_a_whole_run_is_measured_outside_the_checkout(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mgptn.experiments", "bench", "run", "quickstart", *SET],
        cwd=here,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "whole command" in done.stdout


def test_init_writes_the_quickstart_and_says_how_to_run_it(here: Path) -> None:
    done = mgptn("init")
    assert done.exit_code == 0
    assert done.output.splitlines()[-1].split() == ["mgptn", "run", "mgptn.yaml"]
    assert (here / "mgptn.yaml").read_bytes() == (CONFIGS / "quickstart.yaml").read_bytes()
    assert load_config("mgptn.yaml") == load_config("quickstart")


def test_init_writes_another_where_it_is_told(here: Path) -> None:
    assert mgptn("init", "mine.yaml", "--from", "robustness").exit_code == 0
    assert load_config("mine.yaml") == load_config("robustness")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kept.yaml",), "kept.yaml: expected a path where nothing is yet, got one that is taken"),
        (("no/folder.yaml",), "no/folder.yaml: expected a file that can be written, got: No such"),
        (("new.yaml", "--from", "quikstart"), "did you mean quickstart?"),
    ],
)
def test_init_writes_over_nothing(here: Path, arguments: tuple[str, ...], message: str) -> None:
    (here / "kept.yaml").write_text("mine")
    done = mgptn("init", *arguments)
    assert done.exit_code == 1
    assert message in done.output
    assert [path.name for path in here.iterdir()] == ["kept.yaml"]
    assert (here / "kept.yaml").read_text() == "mine"
