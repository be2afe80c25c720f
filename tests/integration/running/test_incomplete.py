"""Every view of a run with little in it, and of one that could not be measured.

Agents without a model: no host and no Ray is started.
"""

# SPDX-License-Identifier: Apache-2.0

import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

from mgptn.experiments.cli import main
from mgptn.experiments.config.arms import CONTEXT_ARMS as ARMS
from mgptn.experiments.config.arms import NEUTRAL, RANDOM, SELECTED, UNSELECTED
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop import measuring
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.record.rounds import JOURNAL, read_rounds
from mgptn.experiments.results.derive import write_results
from mgptn.experiments.running.run import resume, run
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.tables.schemas import SCHEMAS
from mgptn.experiments.views import measured


def config(generations: int = 3) -> RunConfig:
    return check_config(
        {
            "name": "little",
            "population": {"size": 4, "generations": generations},
            "agents": {"model": "scripted"},
            "protocol": {"graders": 2},
            "problems_per_generation": 5,
            "metrics": {"port": 0},
        }
    )


def begun(folder: Path, rounds: int, arms: Sequence[str] = tuple(ARMS)) -> Path:
    """A run of which some rounds are committed."""
    stage = Stage(config())
    session = Session.create(folder, config(), tuple(arms), stage, "cpu")
    for _ in range(rounds):
        advance([session], stage.local_fleet())
    session.close()
    return folder


def silent() -> Console:
    return Console(file=io.StringIO(), width=80)


SOME_ARMS = [
    tuple(ARMS),
    (SELECTED,),
    (SELECTED, RANDOM),
    (SELECTED, NEUTRAL),
    (SELECTED, UNSELECTED),
    (SELECTED, RANDOM, UNSELECTED),
]


@pytest.mark.parametrize("rounds", [0, 1, 2])
@pytest.mark.parametrize("arms", SOME_ARMS, ids="+".join)
def test_a_finding_is_had_of_any_arms_and_any_rounds(tmp_path, monkeypatch, arms, rounds):
    # Figures are drawn of a run with nothing in it by the tests of commands, below.
    monkeypatch.setattr("mgptn.experiments.figures.files.FIGURES", {})
    finished = write_results(begun(tmp_path / "run", rounds, arms))
    heading = finished.verdict.heading
    assert finished.verdict.sentences
    if rounds < 2:
        assert heading == f"Undecided: {'one' if rounds else 'no'} generation"
    elif RANDOM not in arms:
        assert "without" in heading or "Undecided: no" in heading
    for name in SCHEMAS:
        table = pl.read_parquet(tmp_path / f"run/{name}.parquet")
        assert set(table["arm"]) <= set(arms)
        assert len(table) > 0 or rounds == 0 or name in ("turns", "births")


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize("rounds", [0, 1])
def test_every_command_looks_at_a_run_with_little_in_it(tmp_path, rounds):
    folder = begun(tmp_path / "run", rounds)
    for words in (["report"], ["replay"], ["replay", "--selection-temperature", "0.5"]):
        done = CliRunner().invoke(main, [words[0], str(folder), *words[1:]])
        # Of no generation nothing can be confirmed.
        assert done.exit_code == (1 if words == ["replay"] and not rounds else 0), done.output
    done = CliRunner().invoke(main, ["transcript", str(folder)])
    assert (done.exit_code == 0) == (rounds > 0), done.output
    assert rounds or "expected a generation that was committed, got none yet" in done.output
    done = CliRunner().invoke(main, ["resume", str(folder)])
    assert done.exit_code == 0, done.output
    assert f"Resuming at generation {rounds}." in done.output


def test_a_report_that_is_read_is_the_one_that_was_watched(tmp_path):
    """What is derived as a run goes on is what its journal leads to."""
    watched = run(config(), tmp_path / "run", silent())
    before = {p.name: p.read_bytes() for p in watched.paths if p.suffix in (".parquet", ".csv")}
    again = write_results(tmp_path / "run")
    assert again == watched
    assert {name: (tmp_path / "run" / name).read_bytes() for name in before} == before


def test_a_measure_that_fails_is_told_and_the_run_goes_on(tmp_path, monkeypatch):
    whole = run(config(), tmp_path / "whole", silent())
    measure = measuring.measure

    def failing(generation, *rest, **named):
        if generation.index == 1:
            raise ArithmeticError("the records contradict each other")
        return measure(generation, *rest, **named)

    monkeypatch.setattr(measuring, "measure", failing)
    console = silent()
    found = run(config(), tmp_path / "run", console)
    assert found.population_hash == whole.population_hash
    assert [done.index for done in read_rounds(tmp_path / "run")] == [0, 1, 2]
    told = "Generation 1 of arm selected could not be measured"
    assert told in console.file.getvalue()
    assert any(told in sentence for sentence in found.verdict.sentences)
    table = pl.read_parquet(tmp_path / "run/generations.parquet")
    errors = table.filter(pl.col("arm") == SELECTED)["gold_error"]
    assert errors.is_nan().to_list() == [False, True, False]


def test_a_run_whose_measures_fail_is_resumed_and_reported(tmp_path, monkeypatch):
    folder = begun(tmp_path / "run", 2)

    def failing(*_, **__):
        raise ValueError("no")

    monkeypatch.setattr(measuring, "measure", failing)
    monkeypatch.setattr(measured, "measure_graders", failing)
    assert write_results(folder).verdict.heading
    finished = resume(folder, silent())
    assert [done.index for done in read_rounds(folder)] == [0, 1, 2]
    assert finished.paths


def test_a_run_that_is_going_on_is_not_resumed_beside_itself(tmp_path):
    folder = begun(tmp_path / "run", 1)
    with Journal.reopen(folder / JOURNAL):
        before = (folder / JOURNAL).read_bytes()
        with pytest.raises(JournalError, match="got one under way in another process"):
            resume(folder, silent())
        assert (folder / JOURNAL).read_bytes() == before
        # To look on is allowed.
        assert write_results(folder).verdict.heading == "Undecided: one generation"
