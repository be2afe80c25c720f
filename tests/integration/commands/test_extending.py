"""The package of the documentation, installed as it says, is found and run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "tutorials" / "own-protocol.md"

MGPTN = "from mgptn.experiments.cli import main; main()"

PLAY = """
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.loop.simulation import Simulation
config = check_config({
    "name": "own", "task": "addition", "problems_per_generation": 6,
    "population": {"size": 4, "generations": 2}, "agents": {"context_capacity": 4},
    "protocol": {"name": "second-opinion", "graders": 2},
})
for generation in Simulation(config):
    outcomes = generation.outcomes
    for outcome in outcomes:
        kinds = [turn.kind for turn in outcome.turns]
        assert kinds in ([], ["draft", "rival"]), kinds
        if kinds:
            assert outcome.turns[0].text != outcome.turns[1].text
    assert len(outcomes.turns) > 0
"""

TASK = """
import sys
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.setting.stage import Stage
from mgptn.protocols.interfaces.interface import Asked
config = check_config({
    "name": "own", "task": {"name": "backwards", "size": 4},
    "agents": {"model": sys.argv[1], "interface": "strict", "context_capacity": 2},
})
stage = Stage(config)
problem = stage.problems[0][0]
assert problem.reference == problem.query[:4][::-1], problem
asked = stage.script.interface.grade_prompt(Asked(problem.query, "1")).suffix
assert "Be strict. How much" in asked, asked
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


def install(site: Path, source: str, points: str) -> None:
    """What pip makes of the page's package: the module, and its entry points beside it."""
    information = site / "second_opinion-1.dist-info"
    information.mkdir(parents=True)
    (site / "second_opinion.py").write_text(source)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: second_opinion\nVersion: 1\n"
    )
    groups = re.sub(r'\[project\.entry-points\."(.*?)"\]', r"[\1]", points).replace('"', "")
    (information / "entry_points.txt").write_text(groups)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (source,), (points,) = blocks("python"), blocks("toml")
    install(folder, source, points)
    return folder


def python(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT / "src")])},
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_is_short() -> None:
    (source,) = blocks("python")
    assert len([line for line in source.splitlines() if line.strip()]) <= 60


def test_what_a_package_adds_is_listed(site: Path) -> None:
    listed = python(site, "-c", MGPTN, "protocols")
    assert "second-opinion     Who differs answers again." in listed.stdout, listed.stderr
    shown = python(site, "-c", MGPTN, "tasks", "backwards")
    assert shown.returncode == 0, shown.stderr
    assert "=" in shown.stdout


def test_its_protocol_is_played(site: Path) -> None:
    done = python(site, "-c", PLAY)
    assert done.returncode == 0, done.stderr


def test_its_task_and_interface_are_used(site: Path, tmp_path: Path) -> None:
    from tests.random_models import random_qwen3

    model = random_qwen3(tmp_path / "model", [f"Question: {i}=\nAnswer: {i}" for i in range(99)])
    done = python(site, "-c", TASK, model)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("survey = second_opinion:PROTOCOL", "expected a name of its own, got one that is taken"),
        ("mine = nowhere:PROTOCOL", "expected something to import, got ModuleNotFoundError"),
        ("mine = second_opinion:strict", "expected what the group is for, got <function strict"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_named(
    site: Path, tmp_path: Path, point: str, message: str
) -> None:
    install(tmp_path, (site / "second_opinion.py").read_text(), f"[mgptn.protocols]\n{point}\n")
    name = point.partition(" ")[0]
    done = python(tmp_path, "-c", MGPTN, "protocols")
    assert done.returncode == 0, done.stderr
    *others, last = done.stdout.splitlines()
    assert last.startswith(f"{name}: cannot be used: entry point {point} of mgptn.protocols: ")
    assert message in last
    assert any(line.startswith("survey ") for line in others)
    if name != "survey":  # what comes with the package is had under its name
        words = ["run", "quickstart", "--set", f"protocol.name={name}", "--set", "metrics.port=0"]
        done = python(tmp_path, "-c", f"import sys; sys.argv[1:] = {words}; {MGPTN}")
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr
