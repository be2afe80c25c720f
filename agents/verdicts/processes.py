"""Slow verdicts in processes of their own, side by side.

A process is started as this module, without whatever the caller was started as; it is sent the task
and some answers at a time, and ends with its input.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import IO, Any

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.verdicts.judging import Judged, Pair, judge
from mgptn.protocols.tasks.task import Task

CHUNKS = 8
"""For each process, so that none waits long for another."""

TRIES = 2
"""Of answers on which a process dies, until nothing is known of them."""


class Processes:
    """As many processes as there are CPUs, started when they are needed."""

    def __init__(self, many: int | None = None) -> None:
        self._workers = [_Worker() for _ in range(many or usable_cpus())]
        self._lock = threading.Lock()
        self._end = weakref.finalize(self, _close, self._workers)

    def __call__(self, task: Task, pairs: Sequence[Pair]) -> Judged:
        """The verdicts on some answers, in their order.

        Raises
        ------
        Exception
            If the task cannot be sent to another process, or be read there; pickle says so in many
            ways.
        """
        sent = pickle.dumps(task)
        size = max(1, len(pairs) // (CHUNKS * len(self._workers)))
        chunks = [pairs[i : i + size] for i in range(0, len(pairs), size)]
        found: dict[int, Judged] = {}
        turns, left = count(), threading.Event()

        def work(worker: _Worker) -> None:
            # `next` of a count is one step of the interpreter: no two threads have the same turn.
            while not left.is_set() and (turn := next(turns)) < len(chunks):
                found[turn] = worker.judge(sent, chunks[turn])

        with self._lock, ThreadPoolExecutor(len(self._workers)) as threads:
            try:
                list(threads.map(work, self._workers))
            finally:
                left.set()  # who is interrupted waits for no more than is under way
        judged = [found[i] for i in range(len(chunks))]
        faults = (one.fault for one in judged if one.fault)
        return Judged(tuple(v for one in judged for v in one.verdicts), next(faults, ""))

    def close(self) -> None:
        """End all processes."""
        self._end()


class _Worker:
    """A process, or a place for one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._has = b""

    def judge(self, task: bytes, pairs: Sequence[Pair]) -> Judged:
        for _ in range(TRIES):
            try:
                process = self._started()
                assert process.stdin is not None
                assert process.stdout is not None
                _send(process.stdin, (task if task != self._has else None, list(pairs)))
                self._has = task
                judged: Judged | Exception = _receive(process.stdout)
                if isinstance(judged, Exception):
                    raise judged
                return judged
            except (OSError, EOFError, pickle.UnpicklingError):
                self.close()
        return Judged((None,) * len(pairs), "the process of the task's verifier died, twice")

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            path = os.pathsep.join(place for place in sys.path if place)
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C is the run's to answer
            )
        return self._process

    def close(self) -> None:
        process, self._process, self._has = self._process, None, b""
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
            process.wait()


def _close(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.close()


def _send(pipe: IO[bytes], message: Any) -> None:
    pickle.dump(message, pipe)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    return pickle.load(pipe)


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Judge what comes in, until nothing does."""
    task: Task | None = None
    while True:
        try:
            sent, pairs = _receive(incoming)
        except EOFError:
            return
        try:
            task = task if sent is None else pickle.loads(sent)
            assert task is not None
        except Exception as error:  # noqa: BLE001 (as its module is imported, anything may come)
            _send(outgoing, TypeError(f"{type(error).__name__}: {error}"))
        else:
            _send(outgoing, judge(task, pairs))


if __name__ == "__main__":
    # What a task prints must not be taken for verdicts.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # The module's own classes, by its name and not as those of a script.
    from mgptn.agents.verdicts.processes import serve as serve_as_named

    serve_as_named(sys.stdin.buffer, answers)
