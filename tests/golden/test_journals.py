"""Journals written once, by the versions in their manifests, are read, replayed and reported."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from mgptn.experiments.cli import main
from mgptn.experiments.record.binding import KIND
from mgptn.experiments.record.compacted import compaction_of
from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.record.reading import FORMAT, JournalError, read_journal
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.results.derive import write_results
from mgptn.experiments.running.replay import UNBOUND, replay
from tests.rebound import rebind
from tests.said import said

JOURNALS = Path(__file__).parent / "journals"
RUNS = sorted(path.parent for path in JOURNALS.glob(f"format-{FORMAT}/*/{JOURNAL}"))
EXPECTED = "expected.json"


@pytest.fixture(params=RUNS, ids=lambda folder: folder.name)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden run, named as one that was computed on other versions than these."""
    folder = Path(shutil.copytree(request.param, tmp_path / "run"))
    manifest = json.loads((folder / MANIFEST).read_text())
    other = {"versions": dict.fromkeys(manifest["versions"], "0.0.1")}
    if folder_is_bound(folder):
        rebind(folder, other)
    else:
        (folder / MANIFEST).write_text(json.dumps({**manifest, **other}))
    return folder


def folder_is_bound(folder: Path) -> bool:
    """Does a run's journal begin with its manifest?"""
    return bool(read_journal(folder / JOURNAL).records[0]["kind"] == KIND)


def mgptn(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_current_format_has_a_run_of_each_kind_of_agents() -> None:
    names = [folder.name for folder in RUNS]
    assert names == ["bound", "compact", "hosted", "learning", "scripted"]
    assert [f.name for f in RUNS if folder_is_bound(f)] == ["bound", "compact"]
    assert [f.name for f in RUNS if compaction_of(f / JOURNAL) is not None] == ["compact"]


def test_every_text_grade_and_verdict_is_read_as_it_was_written(run: Path) -> None:
    assert read_journal(run / JOURNAL).damage is None
    expected = json.loads((run / EXPECTED).read_text())
    found = said(run)
    assert list(found) == list(expected["arms"])
    for arm, generations in expected["arms"].items():
        assert found[arm] == generations, arm


def test_it_is_replayed_to_the_recorded_hash(run: Path) -> None:
    expected = json.loads((run / EXPECTED).read_text())
    found = replay(run)
    assert found.differences == ()
    assert found.confirmed
    assert found.arms == tuple(expected["arms"])
    assert found.population_hash == found.recorded_hash == expected["population_hash"]
    told = mgptn("replay", run)
    assert told.exit_code == 0, told.output
    assert told.output.rstrip().endswith(f"population hash: {expected['population_hash']}")
    assert (UNBOUND in told.output) == (not folder_is_bound(run))


def test_it_is_reported(run: Path) -> None:
    expected = json.loads((run / EXPECTED).read_text())
    finished = write_results(run)
    assert finished.population_hash == expected["population_hash"]
    assert expected["population_hash"] in (run / "report.html").read_text()
    generations = [g for arm in expected["arms"].values() for g in arm]
    answers = pl.read_parquet(run / "answers.parquet")
    assert len(answers) == sum(len(generation["outcomes"]) for generation in generations)
    assert len(pl.read_parquet(run / "generations.parquet")) == len(generations)


def test_what_was_done_to_weights_is_told(tmp_path: Path) -> None:
    (golden,) = (folder for folder in RUNS if folder.name == "learning")
    run = Path(shutil.copytree(golden, tmp_path / "run"))
    write_results(run)
    heading, *lives = (run / "phylogeny.csv").read_text().splitlines()
    assert heading.endswith(",taxon_label,weights")
    steps = {life.rpartition(",")[2].partition(" ")[0] for life in lives}
    assert steps >= {"", "noise"}
    last = pl.read_parquet(run / "generations.parquet")["generation"].max()
    told = mgptn("transcript", run, "--generation", last)
    assert re.search(r"by agent \d+ \(weights: (learned|noise|merged) [0-9a-f]{8}\)", told.output)


@pytest.mark.parametrize("earlier", range(1, FORMAT))
def test_earlier_formats_are_refused_by_name(run: Path, earlier: int) -> None:
    data = (run / JOURNAL).read_bytes()
    _, _, frames = data.partition(b"\n")
    (run / JOURNAL).write_bytes(b"MGPTN-JOURNAL-%d\n" % earlier + frames)
    named = f"expected a journal of format {FORMAT}, got one of format {earlier}"
    with pytest.raises(JournalError, match=named):
        read_journal(run / JOURNAL)
    for command in ("replay", "resume", "report"):
        told = mgptn(command, run)
        assert told.exit_code not in (0, 130), command
        assert named in told.output, command
