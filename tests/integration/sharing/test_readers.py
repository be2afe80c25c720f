"""What is passed on, read by those who are to read it: inspect_ai, datasets, trackers.

Their packages are no part of this project. They are installed once, by pip, each into a folder of
its own in the user's cache, which only a process that needs it sees; where that cannot be, the
tests are skipped and say so.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from mgptn.agents.checkpoints import founders_folder
from mgptn.experiments.record.rounds import read_rounds
from mgptn.experiments.tables.writing import read_tables

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[3]
RUN = {
    "name": "readers",
    "population": {"size": 4, "generations": 2},
    "agents": {"model": "scripted", "scripted": {"error": 0.4}},
    "protocol": {"graders": 2},
    "metrics": {"port": 0},
    "problems_per_generation": 4,
}
GENERATIONS = 30
FINISHED_LATER = {**RUN, "population": {"size": 4, "generations": GENERATIONS}}

Python = Callable[..., Any]

READ_LOGS = """
import json, sys
from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_sample_summaries
found = {}
for info in list_eval_logs(sys.argv[1]):
    log = read_eval_log(info.name)
    assert log.status == "success" and not log.error and log.version == 2
    assert info.task == log.eval.task and len(log.samples) == log.eval.dataset.samples
    summaries = read_eval_log_sample_summaries(info.name)
    assert [s.id for s in summaries] == [s.id for s in log.samples]
    found[log.eval.task] = {
        "results": {s.name: {m: v.value for m, v in s.metrics.items()} for s in log.results.scores},
        "samples": [
            {
                "id": s.id, "input": s.input, "target": s.target, "said": s.output.completion,
                "roles": [m.role for m in s.messages], "last": s.messages[-1].text,
                "scores": {name: score.value for name, score in s.scores.items()},
                "arm": s.metadata["arm"], "generation": s.metadata["generation"],
            }
            for s in log.samples
        ],
    }
print(json.dumps(found))
"""

READ_DATA = """
import json, sys
import datasets
datasets.disable_progress_bars()
folder = sys.argv[1]
found = {}
for name in datasets.get_dataset_config_names(folder):
    rows = datasets.load_dataset(folder, name)["train"]
    assert len(rows) > 0
    found[name] = rows.to_list()
first = datasets.load_dataset(folder)["train"]
assert first.to_list() == found["answers"]
print(json.dumps(found))
"""

READ_EVENTS = """
import json, sys
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
seen = EventMultiplexer().AddRunsFromDirectory(sys.argv[1])
seen.Reload()
print(json.dumps({
    run: {tag: [(e.step, e.value) for e in seen.Scalars(run, tag)] for tag in tags["scalars"]}
    for run, tags in seen.Runs().items()
}))
"""

READ_MLFLOW = """
import json, sys
from mlflow.tracking import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1])
run = client.get_run(sys.argv[2])
print(json.dumps({
    name: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]
    for name in run.data.metrics
}))
"""


def installed(*packages: str) -> Path:
    """A folder with packages, for `PYTHONPATH`; installed if they are not there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MGPTN_CACHE", raising=False)
        folder = founders_folder().parent / "readers" / "+".join(packages)
    if folder.is_dir():
        return folder
    parts = folder.with_name(f".{folder.name}.parts")
    shutil.rmtree(parts, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    done = subprocess.run(
        [*pip, "--no-compile", "--target", parts, *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(parts, ignore_errors=True)
        last = (done.stderr.strip() or "no word").splitlines()[-1]
        pytest.skip(f"needs {' and '.join(packages)}, which pip could not install: {last}")
    parts.rename(folder)
    return folder


def python(reader: Path | None, *arguments: object, place: Path, **environment: str) -> str:
    """Output of a Python that sees the packages in a folder, besides those that are here."""
    paths = [ROOT / "src", *([] if reader is None else [reader])]
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mgptn(*arguments: object, reader: Path | None = None, place: Path, **environment: str) -> str:
    return python(reader, "-m", "mgptn.experiments", *arguments, place=place, **environment)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run")
    (place / "config.yaml").write_text(yaml.safe_dump(RUN))
    mgptn("run", "config.yaml", "--out", "run", place=place)
    return place / "run"


def test_inspect_reads_the_logs(run: Path, tmp_path: Path) -> None:
    reader = installed("inspect-ai==0.3.285")
    mgptn("export", run, "--to", "inspect", "--out", "logs", place=tmp_path)
    found = json.loads(python(reader, "-c", READ_LOGS, tmp_path / "logs", place=tmp_path))
    rounds = {(c.arm, r.index): c.generation for r in read_rounds(run) for c in r.committed}
    assert len(found) == len(rounds) == 8
    tables = read_tables(run)
    for log in found.values():
        first = log["samples"][0]
        here = {"arm": first["arm"], "generation": first["generation"]}
        generation = rounds[first["arm"], first["generation"]]
        measured = tables["generations"].filter(**here)
        accuracy = log["results"]["verdict"]["accuracy"]
        assert accuracy == pytest.approx(1 - measured["gold_error"].item())
        for sample, outcome in zip(log["samples"], generation.outcomes, strict=True):
            assert sample["input"] == outcome.query
            assert sample["said"] == sample["last"] == outcome.answer
            assert sample["roles"][-2:] == ["user", "assistant"]
            right = sample["scores"]["verdict"] == "C"
            assert right == outcome.verdict == (sample["said"] == sample["target"])
            graded = [sample["scores"][f"grade_{seat}"] for seat in (1, 2)]
            assert graded == [grade.value for grade in outcome.grades]


def test_datasets_reads_the_folder(run: Path, tmp_path: Path) -> None:
    reader = installed("datasets==5.2.0")
    mgptn("export", run, "--to", "hf", "--out", "data", place=tmp_path)
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    said = python(reader, "-c", READ_DATA, tmp_path / "data", place=tmp_path, **offline)
    found = json.loads(said)
    assert sorted(found) == ["answers", "generations", "grades", "lineage"]
    tables = read_tables(run)
    assert found["answers"] == tables["answers"].to_dicts()
    assert found["grades"] == tables["grades"].to_dicts()
    assert len(found["generations"]) == len(tables["generations"])
    births = tables["births"]
    children = [row for row in found["lineage"] if row["parent"] is not None]
    assert [row["mutations"] for row in children] == births["mutations"].to_list()


def in_single(values: pl.Series) -> list[float]:
    return values.cast(pl.Float32).to_list()


def test_tensorboard_shows_the_figures_of_a_run_that_was_killed_too(tmp_path: Path) -> None:
    reader = installed("tensorboard==2.21.0")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(FINISHED_LATER))
    target = "tensorboard:board"
    # A run that is ended from outside in its middle leaves rounds that were told, and is resumed.
    paths = os.pathsep.join([str(ROOT / "src"), str(reader)])
    command = ["-m", "mgptn.experiments", "run", "config.yaml", "--out", "run", "--log-to", target]
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list((tmp_path / "board").rglob("*tfevents*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    mgptn("resume", "run", "--log-to", target, reader=reader, place=tmp_path)
    found = json.loads(python(reader, "-c", READ_EVENTS, tmp_path / "board", place=tmp_path))
    table = read_tables(tmp_path / "run")["generations"]
    assert sorted(found) == sorted(f"run/{arm}" for arm in table["arm"].unique())
    for run, tags in found.items():
        rows = table.filter(arm=run.removeprefix("run/"))
        steps, values = zip(*tags["gold_error"], strict=True)
        assert list(steps) == list(range(GENERATIONS))
        assert list(values) == in_single(rows["gold_error"])
        finite = rows.filter(pl.col("fitness_mean").is_finite())
        assert [step for step, _ in tags.get("fitness_mean", [])] == finite["generation"].to_list()
        assert "position_bias" not in tags  # nothing was compared: it is NaN throughout
    # Another run of that name is not mixed in.
    with pytest.raises(AssertionError, match="never overwritten"):
        mgptn("run", "config.yaml", "--out", "other/run", "--log-to", target, reader=reader,
              place=tmp_path)  # fmt: skip


def test_mlflow_keeps_each_figure_once(tmp_path: Path) -> None:
    reader = installed("mlflow-skinny==3.17.2", "sqlalchemy>=2", "alembic>=1.13")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(RUN))
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    for command in (("run", "config.yaml", "--out", "run"), ("resume", "run")):
        mgptn(*command, "--log-to", f"mlflow:{uri}", reader=reader, place=tmp_path)
    known = json.loads((tmp_path / "run" / "tracked.json").read_text())["mlflow"]
    found = json.loads(python(reader, "-c", READ_MLFLOW, uri, known, place=tmp_path))
    table = read_tables(tmp_path / "run")["generations"]
    for arm in table["arm"].unique():
        errors = table.filter(arm=arm)["gold_error"].to_list()
        assert found[f"{arm}/gold_error"] == [[0, errors[0]], [1, errors[1]]]


def test_wandb_takes_the_figures_offline(tmp_path: Path) -> None:
    reader = installed("wandb==0.31.0")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(RUN))
    for command in (("run", "config.yaml", "--out", "run"), ("resume", "run")):
        mgptn(*command, "--log-to", "wandb:mine", reader=reader, place=tmp_path,
              WANDB_MODE="offline")  # fmt: skip
    known = json.loads((tmp_path / "run" / "tracked.json").read_text())["wandb"]
    files = list((tmp_path / "wandb").glob(f"offline-run-*-{known}/run-{known}.wandb"))
    assert len(files) == 2
    table = read_tables(tmp_path / "run")["generations"]
    last = table.filter(arm="selected", generation=1)["gold_error"].item()
    for file in files:
        content = file.read_bytes()
        assert b"selected/gold_error" in content
        assert repr(last).encode() in content
