"""The manifest is bound to its journal: changed, it is refused by the field."""

# SPDX-License-Identifier: Apache-2.0

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.record.binding import FREE
from mgptn.experiments.record.manifest import MANIFEST, ManifestError
from mgptn.experiments.record.rounds import JOURNAL, RunRecord, read_rounds, read_run
from mgptn.experiments.running.replay import UNBOUND
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from tests.rebound import rewrite

FREELY = {
    ("config", "hosts", "count"): 3,
    ("config", "metrics", "port"): 9999,
    ("config", "metrics", "host"): "localhost",
    ("config", "limits", "tokens"): 5,
    ("config", "task", "file"): None,
}


def config() -> RunConfig:
    return check_config(
        {
            "name": "bound",
            "population": {"size": 4, "generations": 2},
            "agents": {"model": "scripted"},
            "protocol": {"graders": 2},
            "problems_per_generation": 3,
            "metrics": {"port": 0},
        }
    )


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two arms of which a generation is committed."""
    folder, stage = tmp_path_factory.mktemp("bound") / "run", Stage(config())
    session = Session.create(folder, config(), ("selected", "neutral-drift"), stage, "cpu")
    advance([session], stage.local_fleet())
    session.close()
    return folder


@pytest.fixture
def kept(begun: Path):
    """The same, put back after a test has changed it."""
    before = {path: path.read_bytes() for path in begun.iterdir()}
    yield begun
    for path, content in before.items():
        path.write_bytes(content)


def leaves(plain, here=()):
    if isinstance(plain, dict) and plain:
        for key, value in plain.items():
            yield from leaves(value, (*here, key))
    else:
        yield here, plain


def changed(folder: Path, way: tuple[str, ...], value: object) -> None:
    manifest = here = json.loads((folder / MANIFEST).read_text())
    for key in way[:-1]:
        here = here[key]
    here[way[-1]] = value
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_every_field_but_the_free_ones_is_bound(kept: Path) -> None:
    manifest = json.loads((kept / MANIFEST).read_text())
    bound = 0
    for way, value in leaves(manifest):
        changed(kept, way, "other" if value != "other" else "another")
        name = ".".join(way)
        if name.startswith(FREE):
            assert list(read_rounds(kept))
        else:
            bound += 1
            with pytest.raises(
                ManifestError, match=f"expected {name} to be .*, as its jou|: {name}: expected "
            ):
                list(read_rounds(kept))
        (kept / MANIFEST).write_text(json.dumps(manifest, indent=1))
    assert bound > 100
    assert RunRecord(kept).bound is False
    record = RunRecord(kept)
    assert len(list(record.rounds())) == 1
    assert record.bound


def test_a_field_more_or_less_is_refused(kept: Path) -> None:
    manifest = json.loads((kept / MANIFEST).read_text())
    (kept / MANIFEST).write_text(json.dumps(manifest | {"further": 1}))
    with pytest.raises(ManifestError, match=r"expected further to be nothing, .* got 1"):
        list(read_rounds(kept))
    del manifest["device"]
    (kept / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ManifestError, match=r'expected device to be "cpu", .* got nothing'):
        read_run(kept / JOURNAL)


@pytest.mark.parametrize("way", FREELY, ids=".".join)
def test_what_may_differ_on_resume_may(kept: Path, way: tuple[str, ...]) -> None:
    changed(kept, way, FREELY[way])
    assert read_run(kept / JOURNAL).damage is None


@pytest.mark.parametrize("command", ["replay", "report", "resume", "transcript"])
@pytest.mark.parametrize(
    ("way", "value"),
    [(("versions", "torch"), "0.1"), (("weights",), {"scripted": "00"}), (("platform",), "none")],
    ids=["versions", "weights", "platform"],
)
def test_no_command_takes_another_manifest(kept: Path, command, way, value) -> None:
    changed(kept, way, value)
    before = {path: path.read_bytes() for path in kept.iterdir()}
    done = CliRunner().invoke(main, [command, str(kept)])
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert f"expected {'.'.join(way)}" in done.output
    assert {path: path.read_bytes() for path in kept.iterdir()} == before


def test_a_manifest_that_contradicts_itself_is_refused_without_a_journal_that_binds_it(kept):
    rewrite(kept, lambda records: records.pop(0))
    for way, value in (
        (("slots",), 16),
        (("dtype",), "bfloat16"),
        (("seed",), 5),
        (("arms",), ["neutral-drift"]),
        (("arms",), ["selected", "strange"]),
    ):
        before = (kept / MANIFEST).read_text()
        changed(kept, way, value)
        for command in ("replay", "report", "resume"):
            done = CliRunner().invoke(main, [command, str(kept)])
            assert (done.exit_code, type(done.exception)) == (1, SystemExit)
            assert f"{way[0]}: expected " in done.output
        (kept / MANIFEST).write_text(before)


def test_a_journal_that_binds_nothing_says_so_and_is_confirmed_for_itself(kept: Path) -> None:
    told = CliRunner().invoke(main, ["replay", str(kept)])
    assert UNBOUND not in told.output
    rewrite(kept, lambda records: records.pop(0))
    told = CliRunner().invoke(main, ["replay", str(kept)])
    assert (told.exit_code, UNBOUND in told.output) == (0, True)


def test_a_journal_without_a_generation_confirms_nothing(kept: Path) -> None:
    rewrite(kept, lambda records: records.pop(1))
    told = CliRunner().invoke(main, ["replay", str(kept)])
    assert told.exit_code == 1
    assert "no generation is committed, so there is nothing to confirm" in told.output
    assert told.output.splitlines()[-2] == "NOT confirmed"


def test_a_run_that_ends_before_its_last_generation_is_not_confirmed(kept: Path) -> None:
    told = CliRunner().invoke(main, ["replay", str(kept)])
    found = told.output.splitlines()[-1].partition(": ")[2]
    rewrite(kept, lambda records: records.append({"kind": "end", "population_hash": found}))
    told = CliRunner().invoke(main, ["replay", str(kept)])
    assert told.exit_code == 1
    assert "expected 2 generations, got 1 in a run that has ended" in told.output


def test_outcomes_of_other_matches_are_a_difference_and_no_traceback(kept: Path) -> None:
    def forge(records):
        outcomes = records[1]["arms"][0]["generation"]["outcomes"]
        outcomes["graders"]["data"] = bytes(len(outcomes["graders"]["data"]))

    rewrite(kept, forge)
    for command, word in (
        ("replay", "NOT confirmed"),
        ("resume", "expected outcomes of the match"),
    ):
        done = CliRunner().invoke(main, [command, str(kept)])
        assert (done.exit_code, type(done.exception)) == (1, SystemExit)
        assert word in done.output


def test_what_is_told_of_a_part_of_a_run_says_so(kept: Path) -> None:
    told = CliRunner().invoke(main, ["report", str(kept)])
    partial = "Partial: the run has not ended. This is of 1 of 2 generations"
    assert told.exit_code == 0
    assert partial in told.output
    assert partial in (kept / "report.html").read_text()
