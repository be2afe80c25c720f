"""The commands of the documentation are run: a page's blocks in a folder of their own."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mgptn.experiments.cli import main
from tests.documented import ELSEWHERE, QUICK, ROOT, Block, blocks, elsewhere, smaller
from tests.integration.watching.conftest import made_run
from tests.real_model import real_model

BLOCKS = tuple(blocks())
PAGES = sorted({block.page for block in BLOCKS if block.here})
CALLS = sorted({line for block in BLOCKS for line in block.here})
SHIM = """#!/bin/sh
PYTHONPATH={root}/src:{root}
export PYTHONPATH
if [ -n "$_MGPTN_COMPLETE" ]; then exec {python} -m mgptn.experiments "$@"; fi
exec {python} -m tests.documented "$@"
"""
TOOLS = ("sh", "cut", "seq", "head", "cat", "env", "bash", "bwrap")
"""Of the machine's own programs those that the blocks find, beside `mgptn`."""


def of_mgptn(line: str) -> list[str]:
    """A command's arguments."""
    return shlex.split(line, comments=True)[1:]


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of scripted agents, which pages have under several names."""
    return made_run(tmp_path_factory.mktemp("first") / "first")


@pytest.fixture
def place(first: Path, tmp_path: Path) -> Iterator[Path]:
    """The folder that a page's commands find: what they name is there, and the pages themselves."""
    for name in ("first", "other", "sweep/cell", "quickstart-sweep/made-before"):
        shutil.copytree(first, tmp_path / "runs" / name)
    shutil.copytree(ROOT / "docs" / "trust", tmp_path / "docs" / "trust")
    shutil.copytree(ROOT / "experiments" / "configs", tmp_path / "experiments" / "configs")
    shutil.copy(ROOT / "experiments" / "configs" / "words.jsonl", tmp_path / "my.jsonl")
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def test_what_is_not_run_is_in_a_page_and_held_by_what_is_there() -> None:
    lines = [line for block in BLOCKS for line in block.lines]
    stale = [begin for begin in ELSEWHERE if not any(line.startswith(begin) for line in lines)]
    assert not stale
    named = [path for why in ELSEWHERE.values() for path in re.findall(r"tests/[\w/]+\.py", why)]
    assert named
    assert not [path for path in named if not (ROOT / path).is_file()]


def test_no_command_is_missed() -> None:
    """What looks like a command of mgptn in any block is in one that is run, or on the list."""
    known = {re.sub(r"\s+", " ", line.strip()) for block in BLOCKS for line in block.lines}
    for page in {block.page for block in BLOCKS}:
        text = re.sub(r"\\\n\s*", "", (ROOT / page).read_text(encoding="utf-8"))
        for line in re.findall(r"(?m)^(?:    |\$ )\s*(mgptn .*[^,\n])$", text):
            assert re.sub(r"\s+", " ", line.strip()) in known, (page, line)
    assert len(CALLS) > 30


@pytest.mark.parametrize("call", [line for line in CALLS if line.startswith(QUICK)])
def test_a_quick_command_does_what_its_page_says(call: str, place: Path) -> None:
    done = CliRunner().invoke(main, of_mgptn(call), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert done.output.strip()


def test_commands_are_made_smaller_and_no_other() -> None:
    assert smaller(["run", "quickstart"])[:2] == ["run", "quickstart"]
    assert smaller(["run", "quickstart", "--set", "population.generations=9"])[2:4] == [
        "--set",
        "population.generations=2",
    ]
    assert (
        smaller(["sweep", "quickstart", "--vary", "problems_per_generation=1,2"]).count(
            "--set=problems_per_generation=4"
        )
        == 0
    )
    assert smaller(["replay", "runs/first"]) == ["replay", "runs/first"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_s_commands_run_from_top_to_bottom(page: str, place: Path) -> None:
    own = [block for block in BLOCKS if block.page == page and block.here]
    if any(" words" in line for block in own for line in block.here):
        (place / "my").mkdir()
        (place / "my" / "checkpoint").symlink_to(real_model())
    tools = place / "tools"
    tools.mkdir()
    shim = tools / "mgptn"
    shim.write_text(SHIM.format(root=ROOT, python=sys.executable), encoding="utf-8")
    shim.chmod(0o755)
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    cache = place / "cache"  # founders of ten steps are nobody else's
    cache.mkdir()
    if (usual := Path.home() / ".cache" / "mgptn" / "instruct").is_dir():
        (cache / "instruct").symlink_to(usual)
    environment = {**os.environ, "PATH": str(tools), "COLUMNS": "100", "MGPTN_CACHE": str(cache)}
    for block in own:
        assert_runs(block, place, environment)


def assert_runs(block: Block, place: Path, environment: dict[str, str]) -> None:
    """Run the lines of a block that can be, as a shell does that ends at the first fault."""
    script = "\n".join(line for line in block.lines if elsewhere(line) is None)
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
