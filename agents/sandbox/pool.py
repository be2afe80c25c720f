"""Programs in parallel: workers that are started when they are needed, and again when they end."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Protocol, Self

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.sandbox.programs import Limits, SandboxError
from mgptn.protocols.tasks.trials import Program, Ran

TRIES = 2
"""Of a program whose worker fails, until it is unknown what becomes of it."""


class Worker(Protocol):
    """What runs programs one after another, in a process of its own."""

    def run(self, program: Program) -> Ran:
        """What comes of a program; `SandboxError` if the worker is no more."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Sandbox:
    """Workers of one kind.

    Parameters
    ----------
    kind
        Its name.
    start
        Makes a worker, which keeps to the limits.
    limits
        Of each program.
    workers
        Programs at a time; by CPUs, if not given.
    """

    def __init__(
        self,
        kind: str,
        start: Callable[[Limits], Worker],
        limits: Limits,
        workers: int | None = None,
    ) -> None:
        self.kind = kind
        self.limits = limits
        many = workers or usable_cpus()
        self._slots = [_Slot(start) for _ in range(many)]
        # A worker dies with the thread that started it: these threads stay.
        self._threads = ThreadPoolExecutor(many, thread_name_prefix="sandbox")
        self._lock = threading.Lock()
        self._end = weakref.finalize(self, _close, self._slots, self._threads)

    def run(self, programs: Sequence[Program]) -> list[Ran]:
        """What comes of each program, in their order; each is run by itself, and once.

        A program whose worker fails is tried again by a new one, and is ``unknown`` if that fails
        as well.
        """
        outcomes: dict[int, Ran] = {}
        turns = count()

        def work(slot: _Slot) -> None:
            # `next` of a count is one step of the interpreter: no two threads have the same turn.
            while (turn := next(turns)) < len(programs):
                outcomes[turn] = slot.run(programs[turn], self.limits)

        with self._lock:
            list(self._threads.map(work, self._slots[: max(1, len(programs))]))
        return [outcomes[i] for i in range(len(programs))]

    def close(self) -> None:
        """End all workers."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(slots=True)
class _Slot:
    """A place for a worker."""

    start: Callable[[Limits], Worker]
    worker: Worker | None = None

    def run(self, program: Program, limits: Limits) -> Ran:
        if program.too_long(limits.source):
            return Ran("refused", error=f"more than {limits.source} bytes, or no text")
        failed = ""
        for _ in range(TRIES):
            try:
                if self.worker is None:
                    self.worker = self.start(limits)
                return self.worker.run(program)
            except SandboxError as error:
                failed = str(error)
                self.close()
        return Ran("unknown", error=failed)

    def close(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.close()


def _close(slots: list[_Slot], threads: ThreadPoolExecutor) -> None:
    threads.shutdown()
    for slot in slots:
        slot.close()
