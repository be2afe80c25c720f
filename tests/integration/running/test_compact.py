"""`mgptn compact`: a journal in less room, and the same run in every view of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from polars.testing import assert_frame_equal

from mgptn.agents.disk import Disk, standing_in
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.results.derive import write_results
from mgptn.experiments.running import compact as compacting
from mgptn.experiments.running.compact import BESIDE, CompactError, compact
from mgptn.experiments.running.fleets import fleet_here
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.tables.writing import read_tables
from tests.said import said

GENERATIONS = 3


class Full(Disk):
    """A disk on which no file takes another's place."""

    def replace(self, source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))


def begin(folder: Path, generations: int) -> None:
    """A run of agents without a model, as far as it shall come."""
    plain = {
        "name": "large",
        "seed": 5,
        "population": {"size": 200, "generations": GENERATIONS},
        "agents": {"model": "scripted"},
        "problems_per_generation": 3,
        "metrics": {"port": 0},
    }
    config = check_config(plain)
    stage = Stage(config)
    session = Session.create(folder, config, ("selected", "unselected"), stage, "cpu")
    for _ in range(generations):
        advance([session], fleet_here([stage]))
    if session.finished:
        session.end()
    session.close()


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("ended") / "run"
    begin(folder, GENERATIONS)
    return folder


@pytest.fixture
def run(ended: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ended, tmp_path / "run"))


def mgptn(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def tables(folder: Path) -> dict[str, pl.DataFrame]:
    write_results(folder)
    return read_tables(folder)


def test_every_view_is_as_it_was(run: Path) -> None:
    was, told, before = tables(run), said(run), replay(run)
    size = (run / JOURNAL).stat().st_size
    done = mgptn("compact", run)
    assert done.exit_code == 0, done.output
    assert f"population hash: {before.recorded_hash}" in done.output
    assert (run / JOURNAL).stat().st_size < size / 2.5
    assert not (run / BESIDE).exists()
    assert replay(run) == before
    assert before.confirmed
    assert said(run) == told
    for name, table in tables(run).items():
        assert_frame_equal(table, was[name])
    assert "were dropped" not in (run / "report.html").read_text()
    spoken = mgptn("transcript", run, "--generation", 2, "--answer", 7)
    assert spoken.exit_code == 0, spoken.output
    resumed = mgptn("resume", run)
    assert resumed.exit_code == 0, resumed.output
    twice = mgptn("compact", run)
    assert twice.exit_code == 1
    assert "expected a journal with something to drop" in twice.output


def test_without_conversations_every_number_is_as_it_was(run: Path) -> None:
    was = tables(run)
    lines = mgptn("compact", run, "--keep", "numbers", "--dry-run").output
    assert "mgptn transcript and export will refuse the run" in lines
    refused = mgptn("compact", run, "--keep", "numbers")  # nobody says yes
    assert refused.exit_code == 1
    assert mgptn("transcript", run).exit_code == 0
    done = mgptn("compact", run, "--keep", "numbers", "--yes")
    assert done.exit_code == 0, done.output
    assert replay(run).confirmed
    for name, table in tables(run).items():
        texts = ["answer"] if name == "answers" else []
        assert_frame_equal(table.drop(texts), was[name].drop(texts))
    assert "were dropped" in (run / "report.html").read_text()
    for command in (("transcript", run), ("export", run, "--to", "csv")):
        told = mgptn(*command)
        assert told.exit_code == 1, command
        assert "compacted on" in told.output
        assert "conversations were dropped" in told.output
    assert mgptn("export", run, "--best").exit_code == 0


def test_a_run_that_has_not_ended_or_is_being_written_is_left_alone(
    run: Path, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    begin(begun, 1)
    data = (begun / JOURNAL).read_bytes()
    with pytest.raises(CompactError, match="expected the journal of a run that has ended"):
        compact(begun, "all")
    assert (begun / JOURNAL).read_bytes() == data
    with Journal.reopen(run / JOURNAL):
        told = mgptn("compact", run)
    assert told.exit_code == 1
    assert "nobody else is writing" in told.output


@pytest.mark.parametrize("fault", ["another record", "the last step"])
def test_what_goes_wrong_leaves_the_old_journal(
    run: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (run / JOURNAL).read_bytes()
    make = compacting.compact_round

    def other(*arguments: Any) -> dict[str, Any]:
        plain = make(*arguments)
        plain["arms"][0]["counters"]["tiles"] += 1
        return plain

    if fault == "another record":
        monkeypatch.setattr(compacting, "compact_round", other)
    world = standing_in(Full() if fault == "the last step" else Disk())
    with (
        world,
        pytest.raises((CompactError, OSError), match=r"as it was when it is compact|No space"),
    ):
        compact(run, "all")
    monkeypatch.undo()
    assert (run / JOURNAL).read_bytes() == data
    assert not (run / BESIDE).exists()
    # What a crash leaves is in nobody's way.
    (run / BESIDE).mkdir()
    (run / BESIDE / JOURNAL).write_bytes(b"half")
    compact(run, "all")
    assert replay(run).confirmed
