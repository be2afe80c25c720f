"""`mgptn pretrain --task`: founders into a folder, once each; and runs that begin with them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.founding import train
from mgptn.agents.founding.folder import FounderFolderError, train_into
from mgptn.agents.founding.recipe import FounderRecipe
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.loop.simulation import Simulation

TINY = (
    *("--task", "addition", "--sizes", "1-2", "--layers", "1", "--width", "16", "--heads", "2"),
    *("--documents", "8", "--offsets", "2", "--places", "12", "--threads", "1"),
)
RECIPE = FounderRecipe(
    least=1, most=2, layers=1, width=16, heads=2, steps=5, documents=8, offsets=2, places=12
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums split over another number of threads round differently."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pretrain(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["pretrain", *map(str, arguments)])


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two founders; to be copied, not changed."""
    made = tmp_path_factory.mktemp("made") / "founders"
    done = pretrain(*TINY, "--steps", 5, "--founders", 2, "--out", made)
    assert done.exit_code == 0, done.output
    lines = re.findall(r"^founder (\d): loss \d\.\d{4}, \d+\.\d s$", done.stderr, re.M)
    assert lines == ["0", "1"]
    assert done.stdout == f"agents.model: {made}/0,{made}/1\n"
    return made


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "founders"))


def test_what_is_trained_is_what_a_run_would_train(folder: Path, tmp_path: Path):
    train.train_founder(RECIPE, 1, tmp_path / "1")
    zero, one, again = (
        find_checkpoint(str(path)).weights for path in (folder / "0", folder / "1", tmp_path / "1")
    )
    assert again == one != zero
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1"]
    assert json.loads((folder / "0/training.json").read_text())["recipe"] == RECIPE.content()


def test_a_second_run_trains_those_that_are_missing(copied: Path):
    before = contents(copied)
    done = pretrain(*TINY, "--steps", 5, "--founders", 3, "--out", copied)
    assert done.exit_code == 0, done.output
    assert "founder 0: there already\nfounder 1: there already\n" in done.stderr
    assert "founder 2: loss " in done.stderr
    after = contents(copied)
    assert {name: after[name] for name in before} == before
    assert sorted(path.name for path in copied.iterdir()) == ["0", "1", "2"]


def test_a_folder_of_another_recipe_is_refused(copied: Path):
    before = contents(copied)
    done = pretrain(*TINY, "--steps", 6, "--rate", 0.01, "--seed", 7, "--out", copied)
    assert done.exit_code == 1
    assert (
        f"Error: {copied}/0: holds another founder; steps: expected 6, got 5; "
        "rate: expected 0.01, got 0.003\n"
    ) in done.stderr
    assert contents(copied) == before
    assert not (copied / "7").exists()


def test_what_is_no_founder_is_refused(copied: Path, tmp_path: Path):
    shutil.copytree(copied / "1", copied / "4")
    with pytest.raises(FounderFolderError, match=r"/4: .*; seed: expected 4, got 1$"):
        next(train_into(copied, RECIPE, [9]))
    (copied / "4/training.json").write_text('{"recipe": "gpt-1"}')
    with pytest.raises(FounderFolderError, match=r"/4: expected a founder, or nothing, got no"):
        next(train_into(copied, RECIPE, [9]))
    with pytest.raises(FounderFolderError, match=r"expected a folder of founders, .* model's own"):
        next(train_into(copied / "0", RECIPE, [9]))


def test_two_do_not_train_into_one_folder(copied: Path):
    first = train_into(copied, RECIPE, [2, 3])
    assert next(first).seed == 2
    with pytest.raises(FounderFolderError, match="nobody else to train into it"):
        next(train_into(copied, RECIPE, [3]))
    assert [done.seed for done in first] == [3]


def test_judges_are_trained_and_told_apart_from_others(copied: Path, tmp_path: Path):
    made = tmp_path / "judges"
    words = (*TINY, "--steps", 2, "--founders", 1, "--judging", 0.25)
    assert pretrain(*words, "--out", made).exit_code == 0
    assert json.loads((made / "0/config.json").read_text())["mgptn"]["judging"] == 0.25
    assert json.loads((made / "0/training.json").read_text())["recipe"]["judging"] == 0.25
    assert "judging" not in (copied / "0/config.json").read_text()
    done = pretrain(*TINY, "--steps", 5, "--judging", 0.25, "--out", copied)
    assert f"{copied}/0: holds another founder; judging: expected 0.25, got nothing" in done.stderr
    back = pretrain(*TINY, "--steps", 2, "--founders", 1, "--out", made)
    assert f"{made}/0: holds another founder; judging: expected nothing, got 0.25" in back.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ("", 2, "expected either --rung, .* or --task, .* got neither"),
        ("--task addition --rung gpt-1", 2, "expected either .* got both"),
        ("--rung gpt-1 --width 16", 2, "--width: expected none beside --rung"),
        ("--rung gpt-1 --founders 2", 2, "--founders: expected none beside --rung"),
        ("--task addition --set documents=2", 2, "--set: expected none beside --task"),
        ("--task addition --device cpu", 2, "--device: expected none beside --task"),
        ("--task addition --sizes 5-1", 1, "founders: sizes: expected .* got 5-1"),
        ("--task addition --sizes much", 1, "founders: sizes: expected such as 1-5, got 'much'"),
        ("--task addition --heads 7", 1, "heads: expected a divisor of width = 64, got 7"),
        ("--task addition --judging 1.5", 1, "founders: judging: expected .* got 1.5"),
        ("--task sums", 1, "founders: task: expected one of addition, .* got 'sums'"),
        ("--task facts", 1, "sizes: expected some from 6 to 12 of facts, .* got 1-5"),
        ("--task addition --noise 2", 1, "founders: noise: expected .* got 2.0"),
        ("--task addition --judging .5 --scale stars", 1, "founders: scale: expected .* 'stars'"),
        ("--task addition --scale digits", 1, "founders: scale: expected words where judging = 0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything(
    arguments: str, status: int, said: str, tmp_path: Path
):
    done = pretrain(*arguments.split(), "--out", tmp_path / "out")
    assert done.exit_code == status
    assert re.search(f"Error: .*{said}", done.output)
    assert not (tmp_path / "out").exists()


def test_help_tells_the_two_kinds_apart_and_knows_the_usual_numbers():
    said = pretrain("--help").stdout
    heads = [said.index(f"\n{heading}:") for heading in ("Of a rung", "Of founders", "Of both")]
    assert heads == sorted(heads)
    usual = FounderRecipe()
    ours = " ".join(said[heads[1] :].split())
    for name in ("layers", "width", "heads", "documents", "rate", "offsets", "places", "judging",
                 "noise", "scale"):  # fmt: skip
        assert re.search(rf"--{name} [^-]*\[{getattr(usual, name)}\]", ours), name
    assert f"[{usual.least}-{usual.most}]" in ours
    assert f"of founders {usual.steps}]" in ours


def test_an_interrupt_leaves_whole_founders_alone(tmp_path: Path):
    """SIGINT within a training that would take minutes: nothing is left of it."""
    made = tmp_path / "founders"
    words = [*TINY, "--steps", "100000", "--out", str(made)]
    command = [sys.executable, "-m", "mgptn.experiments", "pretrain", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 120
        while not (made / ".0.parts/tokenizer.json").exists() and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said.decode()
    assert b"the same command trains the others" in said
    assert list(made.iterdir()) == []


def test_a_run_begins_with_them(copied: Path, monkeypatch: pytest.MonkeyPatch):
    """By names that look like those of founders in the cache, where there are none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(copied.parent / "cache"))
    monkeypatch.chdir(copied.parent)
    config = check_config(
        {
            "name": "founders",
            "task": {"name": "addition", "size": 2},
            "population": {"size": 2, "generations": 2, "selection": {"process": "none"}},
            "agents": {
                "model": "founders/0,founders/1",
                "learning": {"method": "full", "steps": 2, "documents": 4},
                "context_capacity": 0,
            },
            "protocol": {"name": "majority", "graders": 1, "threshold": 0.0},
            "hosts": {"device": "cpu", "slots": 8},
            "problems_per_generation": 12,
        }
    )
    first, second = Simulation(config)
    assert [agent.genome.model for agent in first.agents] == ["founders/0", "founders/1"]
    assert any(first.learned)  # who has written no answer that can be read learns nothing
    for agent, content in zip(second.agents, first.learned, strict=True):
        assert (agent.genome.weights and agent.genome.weights.content) == content
