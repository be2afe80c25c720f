"""`mgptn export` of a real run without a model, and who looks on while one goes on."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from rich.console import Console

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import RunConfig, check_config, load_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.rounds import population_hash
from mgptn.experiments.results.derive import Finished
from mgptn.experiments.running.run import resume, run
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.setting.tasks import make_task
from mgptn.experiments.sharing.tracking import tracking
from mgptn.experiments.tables.writing import read_tables
from tests.rebound import rebind

GOLDEN = Path(__file__).parents[2] / "golden" / "journals" / "format-4"
RUN = {
    "name": "passed-on",
    "seed": 3,
    "population": {"size": 4, "generations": 2},
    "agents": {"model": "scripted", "scripted": {"error": 0.4}},
    "protocol": {"graders": 2},
    "metrics": {"port": 0},
    "problems_per_generation": 4,
}


class Kept:
    """A log that keeps what it is told, until it fails."""

    faults: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, fails_at: int = 99) -> None:
        self.told: list[tuple[str, int, dict[str, float]]] = []
        self.flushed: list[int] = []
        self.closed = False
        self._fails_at = fails_at

    def write(self, arm: str, generation: int, figures: dict[str, float]) -> None:
        if generation >= self._fails_at:
            raise OSError("nobody there")
        self.told.append((arm, generation, figures))

    def flush(self) -> None:
        self.flushed.append(len(self.told))

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return check_config(RUN)


@pytest.fixture(scope="module")
def log() -> Kept:
    return Kept()


@pytest.fixture(scope="module")
def ended(config: RunConfig, log: Kept, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run that was looked on at."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    onlookers = [tracking("kept", lambda: log, pytest.fail)]
    return run(config, folder, Console(quiet=True), controls=False, onlookers=onlookers)


def export(*arguments: object) -> tuple[int, str]:
    """Exit status and output of the command."""
    done = CliRunner().invoke(main, ["export", *map(str, arguments)])
    return done.exit_code, done.output


def test_right_answers_are_drawn_again(ended: Finished, config: RunConfig, tmp_path: Path) -> None:
    status, said = export(ended.folder, "--to", "inspect", "--out", tmp_path / "logs")
    assert status == 0
    assert "2 logs" in said
    task = make_task(config.task).task
    for path in (tmp_path / "logs").iterdir():
        with ZipFile(path) as packed:
            names = [name for name in packed.namelist() if name.startswith("samples/")]
            samples = [json.loads(packed.read(name)) for name in names]
        assert len(samples) == 16
        for sample in samples:
            assert task.verify(sample["input"], sample["target"])
            right = sample["scores"]["verdict"]["value"] == "C"
            assert right == (sample["output"]["completion"] == sample["target"])


def test_of_other_problems_there_are_no_right_answers(ended: Finished, tmp_path: Path) -> None:
    folder = shutil.copytree(ended.folder, tmp_path / "run")
    rebind(folder, {"problems": "00"})
    status, said = export(folder, "--to", "inspect", "--out", tmp_path / "logs")
    assert status == 0
    assert "Right answers could not be had again: addition: expected problems of hash 00" in said
    with ZipFile(tmp_path / "logs" / "selected-generation-0000.eval") as packed:
        assert {sample["target"] for sample in json.loads(packed.read("summaries.json"))} == {""}
        header = json.loads(packed.read("header.json"))
    assert "expected problems of hash 00" in header["eval"]["metadata"]["targets"]


def test_a_shared_configuration_gives_the_population_again(ended: Finished, tmp_path: Path) -> None:
    assert export(ended.folder, "--to", "hf", "--out", tmp_path / "data")[0] == 0
    again = population_hash(Simulation(load_config(tmp_path / "data" / "config.yaml")))
    assert again == ended.population_hash
    card = (tmp_path / "data" / "README.md").read_text()
    assert again in card
    assert "The run has ended, after 2 generations." in card


@pytest.mark.parametrize("name", ["hosted", "learning", "scripted"])
def test_runs_of_earlier_versions_are_passed_on(name: str, tmp_path: Path) -> None:
    status, said = export(GOLDEN / name, "--to", "csv", "--out", tmp_path / "csv")
    assert status == 0, said
    told = json.loads((GOLDEN / name / "expected.json").read_text())
    assert told["population_hash"] in (tmp_path / "csv" / "README.md").read_text()


def test_weights_that_are_not_kept_are_said(tmp_path: Path) -> None:
    status, said = export(GOLDEN / "learning", "--best", "--out", tmp_path / "best")
    assert status == 1
    assert "Error: " in said
    assert not (tmp_path / "best").exists()


def test_by_default_it_lies_in_the_runs_folder(ended: Finished) -> None:
    status, said = export(ended.folder, "--best")
    assert status == 0
    assert f"{ended.folder}/exports/best: agent " in said
    status, said = export(ended.folder, "--best")
    assert (status, said.count("Error: ")) == (1, 1)
    assert "expected nothing there yet, got something: never overwritten" in said


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--to", "xml"], 2, "'xml' is not one of 'hf', 'inspect', 'csv'"),
        ([], 2, "expected either --to hf, inspect or csv, or --best, got neither"),
        (["--to", "csv", "--best"], 2, "or --best, got both"),
        (["--best", "--arm", "clones"], 1, "--arm: expected one of selected, got 'clones'"),
    ],
)
def test_what_cannot_be_written_is_said(
    arguments: list[str], status: int, said: str, ended: Finished, tmp_path: Path
) -> None:
    got, output = export(ended.folder, *arguments, "--out", tmp_path / "out")
    assert got == status
    assert said in " ".join(output.split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    status, said = export(tmp_path / "none", "--to", "hf")
    assert status == 1
    assert f"Error: {tmp_path}/none: expected a run's folder, got no manifest.json in it" in said
    assert list(tmp_path.iterdir()) == []


def test_a_log_is_told_the_figures_of_each_committed_round(ended: Finished, log: Kept) -> None:
    generations = read_tables(ended.folder)["generations"]
    assert [(arm, index) for arm, index, _ in log.told] == [("selected", 0), ("selected", 1)]
    assert log.flushed == [1, 2]
    assert log.closed
    for (*_, figures), row in zip(log.told, generations.iter_rows(named=True), strict=True):
        finite = {
            name: value
            for name, value in row.items()
            if name not in ("arm", "generation") and value is not None and abs(value) < float("inf")
        }
        assert figures == finite
        assert "gold_error" in figures


def test_a_log_that_fails_is_told_once_and_the_run_goes_on(
    ended: Finished, config: RunConfig, tmp_path: Path
) -> None:
    log, told = Kept(fails_at=0), list[str]()
    again = run(
        config,
        tmp_path / "run",
        Console(quiet=True),
        controls=False,
        onlookers=[tracking("kept", lambda: log, told.append)],
    )
    assert again.population_hash == ended.population_hash
    assert told == [
        "--log-to kept: no more figures are logged: OSError: nobody there. The run goes on, and "
        "its journal has them."
    ]


@pytest.mark.parametrize("finished", [False, True])
def test_a_run_that_is_carried_on_tells_all_rounds(
    finished: bool, config: RunConfig, log: Kept, ended: Finished, tmp_path: Path
) -> None:
    session = Session.create(tmp_path / "run", config, ("selected",), Stage(config), "cpu")
    fleet = Stage(config).local_fleet()
    advance([session], fleet)
    if finished:
        advance([session], fleet)
        session.end()
    session.close()
    late = Kept()
    onlookers = [tracking("kept", lambda: late, pytest.fail)]
    assert resume(tmp_path / "run", Console(quiet=True), onlookers=onlookers).population_hash
    assert measured(late) == measured(log)


def measured(log: Kept) -> list[tuple[str, int, dict[str, float]]]:
    """What a log was told but for what it cost: seconds, and verdicts that a new process, which
    remembers none, has to find again."""
    return [
        (a, i, {k: v for k, v in f.items() if "second" not in k and k != "verdicts_asked"})
        for a, i, f in log.told
    ]


@pytest.fixture
def without_trackers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of them can be imported, whatever is installed."""
    for name in ("tensorboard", "wandb", "mlflow"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("tensorboard:logs", "expected the package tensorboard to be installed, got: "),
        ("wandb:project", "pip install wandb"),
        ("mlflow:sqlite:///m.db", "pip install mlflow"),
        ("tensorboard", "--log-to: expected tensorboard:… or wandb:… or mlflow:…, got 'tensor"),
        ("paper:logs", "got 'paper:logs'"),
    ],
)
def test_a_tracker_that_is_not_there_is_said_before_any_work(
    target: str, said: str, without_trackers: None, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(RUN))
    arguments = ["run", str(path), "--out", str(tmp_path / "run"), "--log-to", target]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.output.count("Error: ")) == (1, 1)
    assert said in done.output
    assert not (tmp_path / "run").exists()
