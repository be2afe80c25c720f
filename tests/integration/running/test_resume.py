"""Runs killed, interrupted, torn and altered: each is carried on to the undisturbed hash."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from click.testing import CliRunner, Result
from rich.console import Console

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.record.packed_arrays import pack, unpack
from mgptn.experiments.record.reading import MAGIC, read_journal
from mgptn.experiments.record.rounds import JOURNAL, population_hash
from mgptn.experiments.running.run import resume
from mgptn.experiments.setting.stage import Stage
from tests.rebound import rebind, rewrite

GENERATIONS = 8
"""So many that none of the interruptions below, one a generation, comes after the last."""


@pytest.fixture(scope="module")
def config(small: Any) -> RunConfig:
    """Long enough to be killed in the middle."""
    made: RunConfig = small({"population.generations": GENERATIONS})
    return made


@pytest.fixture(scope="module")
def undisturbed(config: RunConfig, course: Any) -> str:
    """The hash that every disturbed run must reach."""
    return population_hash(course(config))


@pytest.fixture(scope="module")
def ended(config: RunConfig, write_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has ended; to be copied, not changed."""
    folder: Path = write_run(config, tmp_path_factory.mktemp("ended") / "run")
    return folder


@pytest.fixture(scope="module")
def plain(small: Any, write_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run without a model, which nobody starts a host to carry on."""
    config = small({"agents.model": "scripted", "population.generations": 4})
    folder: Path = write_run(
        config, tmp_path_factory.mktemp("plain") / "run", fleet=Stage(config).local_fleet()
    )
    return folder


@pytest.fixture
def plain_folder(plain: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(plain, tmp_path / "run"))


@pytest.fixture
def run_folder(ended: Path, tmp_path: Path) -> Path:
    """A copy of the ended run, to be damaged."""
    return Path(shutil.copytree(ended, tmp_path / "run"))


def mgptn(*arguments: Any) -> Result:
    """The command in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def frames(journal: Path) -> list[int]:
    """Where the record of each generation begins, then that of the end, and where that ends."""
    data, offsets = journal.read_bytes(), [len(MAGIC)]
    while offsets[-1] < len(data):
        length = int.from_bytes(data[offsets[-1] : offsets[-1] + 4], "little")
        offsets.append(offsets[-1] + 4 + length + 32)
    return offsets[1:]  # after the manifest


# Killed and interrupted


@pytest.mark.parametrize(
    "ends",
    [
        ((1, "SIGINT"),),
        pytest.param(
            ((0, "SIGKILL"), (1, "SIGKILL"), (2, "SIGINT"), (3, "SIGTERM")), marks=pytest.mark.slow
        ),
    ],
    ids=["interrupted", "killed and interrupted again and again"],
)
def test_a_run_that_is_ended_early_reaches_the_undisturbed_hash(
    ray_address: str,
    start: Any,
    config_file: Any,
    config: RunConfig,
    undisturbed: str,
    course: Any,
    recorded: Any,
    host_processes: Any,
    eventually: Any,
    tmp_path: Path,
    ends: tuple[tuple[int, str], ...],
) -> None:
    """As soon as so many generations are committed: in generation 0, in generation 1, and so on."""
    folder = tmp_path / "run"
    join = ("--ray-address", ray_address)
    begin = ("run", config_file(config), "--out", folder, "--no-controls")
    for life, (commits, name) in enumerate(ends):
        command = start(*(("resume", folder) if life else begin), *join)
        command.wait_for_commits(folder, commits)
        command.process.send_signal(signal.Signals[name])
        status = command.wait()
        assert commits <= len(recorded(folder)) < GENERATIONS
        assert "Traceback" not in command.output
        if name == "SIGKILL":
            assert status == -signal.SIGKILL
        else:
            assert status == 130, command.output
            told = command.output.rstrip().splitlines()[-1]
            assert told == f"Interrupted. Carry on with: mgptn resume {folder}"
            assert read_journal(folder / JOURNAL).damage is None
        eventually(lambda: not host_processes(), "the hosts of a run that is gone to end")
    done = mgptn(*told.partition("mgptn ")[2].split())
    assert done.exit_code == 0, done.output
    assert done.output.rstrip().endswith(f"population hash: {undisturbed}")
    assert recorded(folder) == course(config)
    assert mgptn("replay", folder).exit_code == 0


@pytest.mark.slow
def test_a_run_killed_with_a_ray_of_its_own_leaves_no_host_and_is_resumed(
    ray_address: str,
    start: Any,
    config_file: Any,
    config: RunConfig,
    undisturbed: str,
    recorded: Any,
    eventually: Any,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run"
    command = start("run", config_file(config), "--out", folder, "--no-controls")
    command.wait_for_commits(folder, 1)
    command.kill()
    assert 1 <= len(recorded(folder)) < GENERATIONS
    # Ray's own agents outlive it a while, and hold neither memory nor CPUs to speak of.
    started = [p for p in command.seen if p.is_running() and not p.name().endswith("Agent")]
    assert any("raylet" in process.name() for process in started)
    eventually(lambda: not any(p.is_running() for p in started), "hosts and Ray to end as well")
    assert resume(folder, Console(quiet=True)).population_hash == undisturbed


@pytest.mark.slow
def test_an_interrupt_before_anything_is_written_says_so(
    ray_address: str, start: Any, config_file: Any, config: RunConfig, eventually: Any,
    host_processes: Any, tmp_path: Path,
) -> None:  # fmt: skip
    folder = tmp_path / "run"
    command = start("run", config_file(config), "--out", folder, "--ray-address", ray_address)
    eventually(lambda: host_processes() or command.process.poll() is not None, "hosts to start")
    command.process.send_signal(signal.SIGINT)
    assert command.wait() == 130, command.output
    assert "Interrupted before anything was written." in command.output
    assert "Traceback" not in command.output
    assert not folder.exists()


@pytest.mark.parametrize("model", ["scripted", pytest.param("gpt-3", marks=pytest.mark.slow)])
def test_a_full_disk_ends_a_run_with_one_clear_error_and_it_is_resumed(
    ray_address: str,
    start: Any,
    config_file: Any,
    small: Any,
    write_run: Any,
    recorded: Any,
    tmp_path: Path,
    model: str,
) -> None:
    config = small(
        {"population.generations": 4, "problems_per_generation": 20, "agents.model": model}
    )
    whole = write_run(config, tmp_path / "whole", fleet=Stage(config).local_fleet())
    folder = tmp_path / "run"
    # In blocks of 1024 bytes: room for the second generation but not for the third.
    room = (frames(whole / JOURNAL)[2] + frames(whole / JOURNAL)[3]) // 2 // 1024
    command = start(
        *("run", config_file(config), "--out", folder, "--no-controls"),
        *("--ray-address", ray_address),
        prefix=f"ulimit -f {room};",
    )
    assert command.wait() == 1, command.output
    assert "journal.msgpack: expected to write" in command.output
    assert "File too large; everything before is intact" in command.output
    assert "Traceback" not in command.output
    assert read_journal(folder / JOURNAL).damage is None
    assert len(recorded(folder)) == 2
    finished = resume(folder, Console(quiet=True))
    assert finished.population_hash == population_hash(recorded(whole))


# Torn and altered


@pytest.mark.parametrize("where", ["length", "payload", "link", "last byte"])
def test_a_torn_record_is_dropped(ended: Path, run_folder: Path, where: str) -> None:
    begin, end = frames(ended / JOURNAL)[2:4]
    cut = {"length": begin + 2, "payload": (begin + end) // 2, "link": end - 20}
    data = (ended / JOURNAL).read_bytes()
    (run_folder / JOURNAL).write_bytes(data[: cut.get(where, end - 1)])
    contents = read_journal(run_folder / JOURNAL)
    assert len(contents.records) == 1 + 2
    assert contents.intact_bytes == begin
    assert contents.damage is not None
    assert contents.damage.torn


def test_a_torn_run_is_resumed(
    ray_address: str, ended: Path, run_folder: Path, undisturbed: str, recorded: Any
) -> None:
    # Begun with another version as well, which is let through when asked for.
    rebind(run_folder, {"versions": {"torch": "0.1"}})
    begin, end = frames(run_folder / JOURNAL)[2:4]
    torn = (run_folder / JOURNAL).read_bytes()[: (begin + end) // 2]
    (run_folder / JOURNAL).write_bytes(torn)
    done = mgptn("resume", run_folder, "--other-versions")
    assert done.exit_code == 0, done.output
    assert f"intact up to byte {begin}: record 3 is cut short" in done.output.replace("\n", " ")
    assert "Resuming at generation 2." in done.output
    assert done.output.rstrip().endswith(f"population hash: {undisturbed}")
    beside = run_folder / f"{JOURNAL}.damaged-{begin}"
    assert beside.read_bytes() == torn[begin:]
    assert recorded(run_folder) == recorded(ended)


def test_an_altered_run_is_resumed_from_its_intact_records(
    plain: Path, plain_folder: Path, console: Any, recorded: Any
) -> None:
    begin, end = frames(plain / JOURNAL)[1:3]
    altered = bytearray((plain / JOURNAL).read_bytes())
    altered[(begin + end) // 2] ^= 1
    (plain_folder / JOURNAL).write_bytes(altered)
    replayed = mgptn("replay", plain_folder)
    assert replayed.exit_code == 1
    assert f"intact up to byte {begin} only: record 2 was altered" in replayed.output
    assert resume(plain_folder, console).population_hash == population_hash(recorded(plain))
    assert "record 2 was altered" in console.file.getvalue()
    beside = plain_folder / f"{JOURNAL}.damaged-{begin}"
    assert beside.read_bytes() == bytes(altered[begin:])
    assert recorded(plain_folder) == recorded(plain)


def test_a_run_killed_while_its_journal_was_made_is_resumed(
    plain: Path, plain_folder: Path, recorded: Any, console: Console
) -> None:
    (plain_folder / JOURNAL).write_bytes(MAGIC[:7])
    assert resume(plain_folder, console).population_hash == population_hash(recorded(plain))


def test_a_file_that_is_no_journal_is_refused_and_kept(run_folder: Path, contents_of: Any) -> None:
    (run_folder / JOURNAL).write_bytes(b"something else altogether")
    before = contents_of(run_folder)
    done = mgptn("resume", run_folder)
    assert done.exit_code == 1
    assert "expected a journal starting with" in done.output
    assert contents_of(run_folder) == before


# Resumed where there is nothing to resume, or not here


def test_resuming_an_ended_run_writes_its_results_anew(
    ended: Path, run_folder: Path, undisturbed: str, console: Console
) -> None:
    journal = (run_folder / JOURNAL).read_bytes()
    finished = resume(run_folder, console)
    assert finished.population_hash == undisturbed
    assert all(path.stat().st_size > 0 for path in finished.paths)
    report = run_folder / "report.html"
    report.write_text("gone")
    (run_folder / "answers.parquet").unlink()
    assert resume(run_folder, console).paths == finished.paths
    assert undisturbed in report.read_text()
    assert (run_folder / "answers.parquet").exists()
    assert (run_folder / JOURNAL).read_bytes() == journal


def begun(folder: Path, generations: int = 4) -> Path:
    """A folder's run, as it was after this many generations."""
    journal = folder / JOURNAL
    journal.write_bytes(journal.read_bytes()[: frames(journal)[generations]])
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": {"torch": "0.1", "python": "2.7"}}, "torch 0.1 .here .*python 2.7"),
        ({"weights": {"gpt-3": "0" * 64}}, "expected 'gpt-3' with weights hash .'gpt-3': '0000"),
    ],
)
def test_other_versions_or_weights_are_refused(
    run_folder: Path, console: Console, contents_of: Any, change: Any, message: str
) -> None:
    begun(run_folder)
    rebind(run_folder, change)
    before = contents_of(run_folder)
    with pytest.raises(ConfigError, match=message):
        resume(run_folder, console)
    assert contents_of(run_folder) == before


@pytest.mark.parametrize("command", ["resume", "replay", "report"])
def test_a_folder_without_a_run_is_refused(tmp_path: Path, command: str) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        done = mgptn(command, folder)
        assert done.exit_code == 1
        assert isinstance(done.exception, SystemExit)
        assert f"{folder}: expected a run's folder" in done.output
    assert list(tmp_path.iterdir()) == []


# Replayed


def test_replay_confirms_a_run(run_folder: Path, undisturbed: str) -> None:
    done = mgptn("replay", run_folder)
    assert done.exit_code == 0
    assert f"{GENERATIONS} generations of 1 arms replayed, 0 differences" in done.output
    assert done.output.splitlines()[-2:] == ["confirmed", f"population hash: {undisturbed}"]


def test_replay_confirms_a_run_that_has_not_ended(run_folder: Path) -> None:
    done = mgptn("replay", begun(run_folder))
    assert done.exit_code == 0
    assert f"the run has not ended; carry it on with: mgptn resume {run_folder}" in done.output


def _generation(records: list[dict[str, Any]]) -> Any:
    return records[2]["arms"][0]["generation"]


def _change(
    field: str, change: Callable[[Any], Any], *sections: str
) -> Callable[[list[dict[str, Any]]], None]:
    """Alters an array of generation 1."""

    def altered(records: list[dict[str, Any]]) -> None:
        section = _generation(records)
        for name in sections:
            section = section[name]
        section[field] = pack(change(unpack(section[field])))

    return altered


FORGERIES: dict[str, Callable[[list[dict[str, Any]]], None]] = {
    "fitness": _change("fitness", lambda fitness: np.append(0.987, fitness[1:])),
    "rates": _change("rates", lambda rates: rates[::-1]),
    "births": _change("parent", lambda parents: np.append(10_000, parents[1:]), "births"),
    "deaths": _change("deaths", lambda deaths: deaths[::-1]),
    "accepted": _change("accepted", lambda accepted: np.arange(8)),
    "survivors": _change("founder", lambda founders: founders[::-1], "populations"),
    "digest": lambda r: _generation(r).update(digest="00" * 32),
}


@pytest.mark.parametrize("field", FORGERIES)
def test_replay_finds_an_altered_decision(run_folder: Path, field: str) -> None:
    rewrite(run_folder, FORGERIES[field])
    assert read_journal(run_folder / JOURNAL).damage is None
    done = mgptn("replay", run_folder)
    assert done.exit_code == 1
    assert f"generation 1, arm selected: {field} differ from the recorded ones" in done.output
    assert done.output.splitlines()[-2] == "NOT confirmed"


def test_replay_finds_an_altered_answer_or_hash(run_folder: Path, undisturbed: str) -> None:
    rewrite(run_folder, _change("values", lambda values: 1.0 - values, "outcomes"))
    done = mgptn("replay", run_folder)
    assert done.exit_code == 1
    assert "generation 1, arm selected: scores differ from the recorded ones" in done.output
    rewrite(run_folder, lambda records: records[-1].update(population_hash="00" * 32))
    done = mgptn("replay", run_folder)
    assert done.exit_code == 1
    assert f"the run ended with population hash {'00' * 32}" in done.output


def test_resume_refuses_decisions_that_the_answers_do_not_lead_to(
    ray_address: str, run_folder: Path
) -> None:
    rewrite(begun(run_folder), FORGERIES["digest"])
    before = (run_folder / JOURNAL).read_bytes()
    done = mgptn("resume", run_folder)
    assert done.exit_code == 1
    assert "expected generation 1 of arm selected to end in population 0000" in done.output
    assert (run_folder / JOURNAL).read_bytes() == before


@pytest.fixture(scope="module")
def tossed(small: Any, write_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose fitness does not depend on the model, so that neither does who is born."""
    config = small({"selector": "random", "population.generations": 4, "population.size": 6})
    folder: Path = write_run(config, tmp_path_factory.mktemp("tossed") / "run")
    return folder


def test_reselection_reaches_as_far_as_the_births_are_the_same(tossed: Path) -> None:
    done = mgptn("replay", tossed, "--selection-temperature", "0.005")
    assert done.exit_code == 0
    assert "The records reach 1 of 4 generations" in done.output
    assert "generation 0: largest replication rate" in done.output
    assert "generation 1: largest" not in done.output


def test_reselection_under_the_recorded_temperature_reaches_all(tossed: Path) -> None:
    done = mgptn("replay", tossed, "--selection-temperature", "0.1")
    assert done.exit_code == 0
    assert "The records reach all 4 generations: every birth is the same." in done.output


@pytest.mark.parametrize("temperature", ["0", "-1", "nan"])
def test_reselection_refuses_a_temperature_that_is_none(tossed: Path, temperature: str) -> None:
    done = mgptn("replay", tossed, "--selection-temperature", temperature)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "population.selection.temperature: expected" in done.output


def test_ray_is_still_the_sessions(ray_address: str) -> None:
    # Runs and resumes that joined it have not ended it.
    assert ray.get_runtime_context().gcs_address == ray_address
