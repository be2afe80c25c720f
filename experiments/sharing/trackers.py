"""The trackers that figures can be logged to: TensorBoard, Weights & Biases, MLflow."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from operator import methodcaller
from pathlib import Path
from typing import Any

from mgptn.agents.files import write_whole
from mgptn.experiments.sharing.tracking import (
    Log,
    Open,
    Show,
    Tracked,
    TrackingError,
    parse_target,
    tracking,
)

KNOWN = "tracked.json"
"""In a run's folder: under which names trackers know the run, so that it is carried on there."""

FAULTS = (OSError, RuntimeError, ValueError)


class TensorBoard:
    """Event files below a folder, one set for each arm, so that arms share a chart.

    Raises
    ------
    TrackingError
        If TensorBoard is not installed, or a new run's place is taken.
    """

    faults: tuple[type[Exception], ...] = FAULTS

    def __init__(self, target: str, run: Tracked) -> None:
        self._writing = _needed("tensorboard.summary.writer.event_file_writer", "tensorboard")
        self._events = _needed("tensorboard.compat.proto.event_pb2", "tensorboard")
        self._summaries = _needed("tensorboard.compat.proto.summary_pb2", "tensorboard")
        self._place = Path(target) / run.name
        if self._place.exists() and not run.resumed:
            raise TrackingError(
                f"--log-to tensorboard:{target}: expected nothing at {self._place} yet, got "
                "something: never overwritten; choose another folder"
            )
        self._writers: dict[str, Any] = {}

    def write(self, arm: str, generation: int, figures: dict[str, float]) -> None:
        """A summary of the arm, whose step is the generation."""
        value = self._summaries.Summary.Value
        summary = self._summaries.Summary(
            value=[value(tag=name, simple_value=figure) for name, figure in figures.items()]
        )
        self._writer(arm, generation).add_event(self._event(generation, summary=summary))

    def flush(self) -> None:
        """Write out what was taken."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, arm: str, generation: int) -> Any:
        if arm not in self._writers:
            writer = self._writing.EventFileWriter(str(self._place / arm))
            # From here on, what an earlier process has told of these steps counts no more.
            start = self._events.SessionLog(status=self._events.SessionLog.START)
            writer.add_event(self._event(generation, session_log=start))
            self._writers[arm] = writer
        return self._writers[arm]

    def _event(self, step: int, **content: Any) -> Any:
        return self._events.Event(wall_time=time.time(), step=step, **content)


class WeightsAndBiases:
    """One run of a project; the service keeps each step once, so told twice is told once."""

    def __init__(self, target: str, run: Tracked) -> None:
        wandb = _needed("wandb", "wandb")
        self.faults: tuple[type[Exception], ...] = (*FAULTS, wandb.errors.Error)
        self._row: dict[str, float] = {}
        self._step = 0
        self._remember, known = partial(_remember, run, "wandb"), _known(run, "wandb")
        try:
            self._run = wandb.init(
                project=target,
                name=run.name,
                id=known,
                resume="allow",
                config=run.config.model_dump(mode="json"),
                settings=wandb.Settings(silent=True, console="off"),
            )
        except self.faults as error:
            raise TrackingError(f"--log-to wandb:{target}: {error}") from None

    def write(self, arm: str, generation: int, figures: dict[str, float]) -> None:
        """Figures by arm and name; the step is the generation."""
        self._step = generation
        self._row |= {f"{arm}/{name}": figure for name, figure in figures.items()}

    def flush(self) -> None:
        """Tell a whole round: a step cannot be added to."""
        self._run.log(self._row, step=self._step)
        self._row = {}
        self._remember(self._run.id)

    def close(self) -> None:
        """End the run there."""
        self._run.finish()


class MLflow:
    """One run of an experiment, on the server or in the database that the target names."""

    def __init__(self, target: str, run: Tracked) -> None:
        mlflow, tracking_client = _needed("mlflow", "mlflow"), _needed("mlflow.tracking", "mlflow")
        self._metric = import_module("mlflow.entities").Metric
        self.faults: tuple[type[Exception], ...] = (*FAULTS, mlflow.exceptions.MlflowException)
        self._waiting: list[Any] = []
        self._remember, self._told = partial(_remember, run, "mlflow"), -1
        known = _known(run, "mlflow")
        try:
            self._client = tracking_client.MlflowClient(tracking_uri=target)
            if known is not None:
                self._id = self._client.get_run(known).info.run_id
                self._told = int(self._client.get_run(known).data.metrics.get("told", -1))
            else:
                self._id = self._begin(run)
        except self.faults as error:
            raise TrackingError(f"--log-to mlflow:{target}: {error}") from None

    def _begin(self, run: Tracked) -> str:
        """A new run there, in the experiment of the configuration's name."""
        name = run.config.name
        found = self._client.get_experiment_by_name(name)
        experiment = self._client.create_experiment(name) if found is None else found.experiment_id
        begun: str = self._client.create_run(experiment, run_name=run.name).info.run_id
        self._client.log_param(begun, "seed", run.config.seed)
        self._client.set_tag(begun, "mgptn.config", run.config.model_dump_json())
        return begun

    def write(self, arm: str, generation: int, figures: dict[str, float]) -> None:
        """Figures by arm and name; the step is the generation. What was told is not told again."""
        if generation <= self._told:
            return
        now = int(time.time() * 1000)
        self._waiting += [
            self._metric(f"{arm}/{name}", figure, now, generation)
            for name, figure in figures.items()
        ]
        self._last = self._metric("told", generation, now, generation)

    def flush(self) -> None:
        """Tell a round; the service takes a bounded number at a time."""
        most = 500
        waiting = [*self._waiting, self._last] if self._waiting else []
        for first in range(0, len(waiting), most):
            self._client.log_batch(self._id, metrics=waiting[first : first + most])
        self._waiting = []
        self._remember(self._id)

    def close(self) -> None:
        """End the run there."""
        self._client.set_terminated(self._id)


TRACKERS: dict[str, Open] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
}
"""Kind → what begins a log of it."""


def trackers(
    targets: Sequence[str], run: Tracked, tell: Callable[[str], None]
) -> list[AbstractContextManager[Show]]:
    """Trackers by ``KIND:TARGET``; each begins on entry.

    Raises
    ------
    TrackingError
        If a kind is unknown, its target is missing, or its library is not installed.
    """
    found: list[AbstractContextManager[Show]] = []
    for text in targets:
        kind, target = parse_target(text, list(TRACKERS))
        _needed(kind, kind)

        def open_log(kind: str = kind, target: str = target) -> Log:
            return TRACKERS[kind](target, run)

        found.append(tracking(kind, open_log, tell))
    return found


def _needed(module: str, package: str) -> Any:
    """A module of an optional library.

    Raises
    ------
    TrackingError
        Naming what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise TrackingError(
            f"--log-to {package}: expected the package {package} to be installed, got: {error}; "
            f"pip install {package}"
        ) from None


def _known(run: Tracked, kind: str) -> str | None:
    """Under which name a tracker knows a run that was begun before; None if it does not."""
    path = run.folder / KNOWN
    if not run.resumed or not path.exists():
        return None
    name = json.loads(path.read_text(encoding="utf-8")).get(kind)
    return None if name is None else str(name)


def _remember(run: Tracked, kind: str, name: str) -> None:
    path = run.folder / KNOWN
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if known.get(kind) != name:
        text = json.dumps({**known, kind: name}) + "\n"
        write_whole(path, methodcaller("write", text.encode()))
