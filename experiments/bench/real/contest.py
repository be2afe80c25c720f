"""Contestants in processes of their own, measured in turn: starts from cold, answers, grades."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgptn.experiments.views.doing import doing

MODULE = "mgptn.experiments.bench.real.worker"
PHASES = ("answer", "grade")


class WayError(RuntimeError):
    """A contestant's process ended before its work: says which, and its last words."""


@dataclass(slots=True)
class Measured:
    """What one way took.

    Attributes
    ----------
    starts
        Seconds of each repeat from a cold process to its first answer.
    answer, grade
        Seconds of each repeat, from nothing remembered.
    first
        Seconds of a process's first generation, answers and grades, after it has begun.
    peak
        Bytes that its process held at the most.
    answers
        Tokens of each.
    masses
        Log-probabilities of each grade's options.
    """

    starts: list[float] = field(default_factory=list)
    answer: list[float] = field(default_factory=list)
    grade: list[float] = field(default_factory=list)
    first: float = 0.0
    peak: int = 0
    answers: list[list[int]] = field(default_factory=list)
    masses: list[list[float]] = field(default_factory=list)

    @property
    def both(self) -> list[float]:
        """Seconds of a generation."""
        return [a + g for a, g in zip(self.answer, self.grade, strict=True)]

    @property
    def cold(self) -> list[float]:
        """Seconds from a cold process to the end of its first generation."""
        return [start + self.first for start in self.starts]


class Worker:
    """A contestant's process.

    Raises
    ------
    WayError
        Whenever it has ended.
    """

    def __init__(self, name: str, spec: Path, threads: int) -> None:
        self.name = name
        self._log = spec.with_name(f"{name.replace(' ', '-')}.log")
        began = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, name, str(spec)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="utf-8",
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            )  # fmt: skip
        self.peak = int(self._said()["peak"])
        self.start = time.perf_counter() - began

    def do(self, what: str) -> dict[str, Any]:
        """Have it do a phase, forget, or say where its time goes."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except OSError:  # it has ended: its last words say more
            pass
        return self._said()

    def end(self) -> None:
        """No more work."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            return dict(json.loads(line))
        status = self._process.wait()
        last = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [
            "no word"
        ]
        raise WayError(f"{self.name}: expected it to work, got exit status {status}: {last[-1]}")


def contest(
    names: Sequence[str], spec: Path, threads: int, repeats: int
) -> tuple[dict[str, Measured], dict[str, str], dict[str, dict[str, float]]]:
    """What each way took, why some could not, and where the time of the first goes.

    Every repeat has each contestant's start in a fresh process, and each one's work in a process
    that has done it once before. A machine that slows down slows all contestants alike.
    """
    found: dict[str, Measured] = {}
    failed: dict[str, str] = {}
    with ExitStack() as stack:
        workers = {}
        for name in names:
            try:
                with doing(f"{name}: its first generation"):
                    worker = stack.enter_context(_working(name, spec, threads))
                    found[name] = Measured()
                    found[name].first = sum(worker.do(phase)["seconds"] for phase in PHASES)
                workers[name] = worker
            except WayError as error:
                if name == names[0]:
                    raise
                found.pop(name, None)
                failed[name] = str(error)
        for repeat in range(repeats):
            for name, worker in workers.items():
                with doing(f"{name}: repeat {repeat + 1} of {repeats}"):
                    with _working(name, spec, threads) as fresh:
                        found[name].starts.append(fresh.start)
                    _work(worker, found[name])
        with doing(f"{names[0]}: where the time goes"):
            parts = workers[names[0]].do("where")["where"]
    return found, failed, parts


def _work(worker: Worker, measured: Measured) -> None:
    worker.do("forget")
    answered, graded = (worker.do(phase) for phase in PHASES)
    measured.answer.append(answered["seconds"])
    measured.grade.append(graded["seconds"])
    measured.peak = max(measured.peak, graded["peak"])
    measured.answers, measured.masses = answered["said"], graded["said"]


@contextmanager
def _working(name: str, spec: Path, threads: int) -> Iterator[Worker]:
    worker = Worker(name, spec, threads)
    try:
        yield worker
    finally:
        worker.end()
