"""A run writes what it promises, and its bits do not depend on who computes them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from mgptn.experiments.config.arms import CONTEXT_ARMS, GREEDY, SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.record.rounds import JOURNAL, population_hash, read_rounds
from mgptn.experiments.results.derive import PHYLOGENY, TREES, Finished
from mgptn.experiments.running.run import run
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.measured import measured

TABLES = (
    "generations",
    "answers",
    "grades",
    "births",
    "agents",
    "turns",
    "graders",
    "reliability",
)
ARMS = (*CONTEXT_ARMS, GREEDY)
Hash = Callable[[RunConfig], str]
EVERY_FIGURE = True


@dataclass(frozen=True)
class Done:
    """A finished run and its configuration."""

    config: RunConfig
    finished: Finished

    @property
    def folder(self) -> Path:
        return self.finished.folder

    @property
    def manifest(self) -> Any:
        return json.loads((self.folder / "manifest.json").read_text())


@pytest.fixture(scope="module")
def one_host(ray_address: str, small: Any, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run without controls on one host."""
    config = small()
    folder = tmp_path_factory.mktemp("one") / "deeper" / "run"
    return Done(config, run(config, folder, Console(quiet=True), controls=False))


@pytest.fixture(scope="module")
def two_hosts(ray_address: str, small: Any, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The same run with its controls on two hosts."""
    config = small({"hosts.count": 2})
    folder = tmp_path_factory.mktemp("two") / "run"
    return Done(config, run(config, folder, Console(quiet=True)))


def test_one_host_and_two_and_none_of_ray_reach_the_same_hash(
    one_host: Done, two_hosts: Done, course: Any
) -> None:
    local = course(one_host.config)
    assert one_host.finished.population_hash == population_hash(local)
    assert two_hosts.finished.population_hash == population_hash(local)


def test_every_answer_and_grade_of_every_arm_is_the_same_bit_for_bit(
    one_host: Done, two_hosts: Done, course: Any, recorded: Any
) -> None:
    assert recorded(one_host.folder) == course(one_host.config)
    rounds = list(measured(read_rounds(two_hosts.folder), two_hosts.config))
    for arm in ARMS:
        committed = [done.of(arm) for done in rounds]
        assert [c.generation for c in committed if c] == course(one_host.config, arm), arm


def test_another_process_reaches_the_same_hash(one_host: Done, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mgptn.experiments.config.run_config import load_config\n"
        "from mgptn.experiments.record.rounds import population_hash\n"
        "from mgptn.experiments.loop.simulation import Simulation\n"
        "print(population_hash(list(Simulation(load_config(Path(sys.argv[1]))))))\n"
    )
    config = tmp_path / "config.json"
    config.write_text(json.dumps(one_host.manifest["config"]))
    done = subprocess.run(
        [sys.executable, "-c", code, config],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == one_host.finished.population_hash


def test_another_seed_gives_another_hash(small: Any, course: Any) -> None:
    hashes = {population_hash(course(small({"seed": seed}))) for seed in (5, 6, 7)}
    assert len(hashes) == 3


def test_slots_may_change_the_bits_but_not_what_is_asked(small: Any, course: Any) -> None:
    few, many = course(small({"hosts.slots": 4})), course(small())
    assert [o.match for o in few[0].outcomes] == [o.match for o in many[0].outcomes]
    assert [o.query for o in few[0].outcomes] == [o.query for o in many[0].outcomes]


def test_a_run_writes_journal_manifest_tables_figures_and_report(two_hosts: Done) -> None:
    assert {path.name for path in two_hosts.folder.iterdir()} == {
        JOURNAL,
        "manifest.json",
        "report.html",
        "figures",
        PHYLOGENY,
        TREES,
        *(f"{table}.parquet" for table in TABLES),
    }
    figures = list((two_hosts.folder / "figures").iterdir())
    assert figures
    assert all(figure.read_bytes().startswith(b"\x89PNG\r\n\x1a\n") for figure in figures)
    assert {path.relative_to(two_hosts.folder) for path in two_hosts.finished.paths} == {
        Path("report.html"),
        Path(PHYLOGENY),
        Path(TREES),
        *(Path(f"{table}.parquet") for table in TABLES),
        *(figure.relative_to(two_hosts.folder) for figure in figures),
    }
    report = (two_hosts.folder / "report.html").read_text()
    assert report.lstrip().lower().startswith("<!doctype html>")
    assert two_hosts.finished.population_hash in report


def test_the_tables_hold_every_answer_and_grade(two_hosts: Done) -> None:
    config = two_hosts.config
    rows = {name: len(pl.read_parquet(two_hosts.folder / f"{name}.parquet")) for name in TABLES}
    rounds = len(ARMS) * config.population.generations
    answers = rounds * config.population.size * config.problems_per_generation
    assert rows["generations"] == rounds
    assert rows["answers"] == answers
    graded = len(CONTEXT_ARMS)  # and nobody grades the founders' likeliest answers
    assert rows["grades"] == answers * config.protocol.graders * graded // len(ARMS)
    assert rows["turns"] == 0  # A survey has none beside its answers and grades.
    # Its graders as one, and their only model, in every generation of every arm.
    assert rows["graders"] == 2 * rounds
    assert 0 < rows["reliability"] <= 10 * rows["graders"]
    # Where nobody is selected there are no births.
    assert rows["births"] == rounds * config.population.size * (len(ARMS) - 2) // len(ARMS)


def test_the_manifest_says_what_decides_the_bits(two_hosts: Done) -> None:
    manifest = two_hosts.manifest
    assert manifest["config"] == two_hosts.config.model_dump(mode="json")
    assert manifest["arms"] == list(ARMS)
    assert manifest["arms"][0] == SELECTED
    assert manifest["weights"] == Stage(two_hosts.config).weights
    assert manifest["device"] == "cpu"
    assert {"mgptn", "python", "torch", "transformers", "ray"} <= set(manifest["versions"])


def test_an_existing_run_is_refused_and_left_as_it_is(
    one_host: Done, contents_of: Any, console: Console
) -> None:
    before = contents_of(one_host.folder)
    times = (one_host.folder / JOURNAL).stat().st_mtime_ns
    with pytest.raises(ConfigError, match=r"never overwritten.*mgptn resume"):
        run(one_host.config, one_host.folder, console)
    assert contents_of(one_host.folder) == before
    assert (one_host.folder / JOURNAL).stat().st_mtime_ns == times


def test_the_hosts_end_with_the_run(
    one_host: Done, two_hosts: Done, host_processes: Any, eventually: Any
) -> None:
    eventually(lambda: not host_processes(), "no host left after the runs", 30)
