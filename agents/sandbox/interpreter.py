"""The small interpreter: pydantic-monty, a part of Python that has no system calls to offer.

It is written in a language that is safe in memory, and runs in a process of its own; where
bubblewrap works, that stands behind its walls as well. A program has a session of its own, and
nothing of another's.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import importlib
import math
import os
import shlex
import shutil
import signal
import sysconfig
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from mgptn.agents.sandbox.programs import MIB, Limits, SandboxError
from mgptn.agents.sandbox.walls import find_bubblewrap, walled
from mgptn.protocols.tasks.trials import Program, Ran

GRACE_SECONDS: Final = 1.0
ADDRESSES: Final = 1024 * MIB
"""Of the interpreter itself, beside what a program may have: a second bound, for its own faults."""

DEPTH: Final = 400
"""Of calls within calls."""

ASKED: Final = 100_000
"""Lines that a program may read."""

LOOK_SECONDS: Final = 0.01

THE_SAME: Final = {
    "datetime": datetime(2000, 1, 1, tzinfo=UTC),
    "sleep": "zero",
    "process_time": "zero",
    "random_start": {"seed": 0},
}
"""Clocks stand still, nothing waits, and chance is the same: a program does the same every time."""


class Interpreter:
    """A small interpreter, started at once; one program at a time.

    Parameters
    ----------
    behind_walls
        Whether bubblewrap shall stand around it.

    Raises
    ------
    SandboxError
        If it does not come up, or is not installed.
    """

    def __init__(self, limits: Limits, behind_walls: bool = False) -> None:
        try:
            self._monty: Any = importlib.import_module("pydantic_monty")
        except ImportError as error:
            raise SandboxError(f"pydantic-monty is not here: {error}") from None
        self._limits = limits
        self._folder = tempfile.mkdtemp(prefix="mgptn-sandbox-")
        try:
            launcher = _launcher(Path(self._folder), limits, behind_walls)
            self._pool: Any = self._monty.Monty(
                binary_path=launcher,
                min_processes=1,
                max_processes=1,
                request_timeout=limits.wall,
                feed_duration_limit_grace=GRACE_SECONDS,
            )
            self._pool.__enter__()
        except Exception as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SandboxError(f"the interpreter did not come up: {error}") from error

    def run(self, program: Program) -> Ran:
        """What comes of a program.

        Its clock counts seconds on the wall. Who uses them up is run again by the processor's.
        A program that brings the interpreter down twice is an ``error``.

        Raises
        ------
        SandboxError
            If the interpreter does not come up again.
        """
        first = self._once(program, self._limits.seconds, watched=False)
        if first is not None:
            return first
        second = self._once(program, self._limits.wall, watched=True)
        return second or Ran("unknown", error="it took too long on the wall")

    def close(self) -> None:
        """End it."""
        try:
            self._pool.__exit__(None, None, None)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _once(self, program: Program, seconds: float, watched: bool) -> Ran | None:
        """What came of it; None if it took too long, or brought the worker down, for the first."""
        monty, printed = self._monty, _Printed(self._limits.output)
        values: tuple[str | None, ...] = ()
        limits = {
            "max_feed_duration_secs": seconds,
            "max_memory": self._limits.memory,
            "max_recursion_depth": DEPTH,
            "max_suspensions": ASKED,
        }
        watch, began = None, time.monotonic()
        try:
            with self._pool.checkout(limits=limits, os_policy=THE_SAME) as session:
                if watched:
                    watch = _Watch(session.worker_pid, self._limits.seconds)
                lines = iter(program.stdin.splitlines())
                given = {"external_lookup": {"input": _reading(lines)}, "print_callback": printed}
                session.feed_run(f"{program.source}\nNone", **given)
                if program.cases:
                    values = self._values(session, program.cases, given)
        except monty.MontyCrashedError as error:
            if watch is None:
                return None
            if watch.over:
                return Ran("time", stdout=printed.text, seconds=watch.spent)
            if error.timed_out:
                return Ran("unknown", error=f"no {self._limits.seconds} s of a processor by then")
            return Ran("error", stdout=printed.text, error=f"it ended the interpreter: {error}")
        except monty.MontyError as error:
            fault, said = error.exception(), error.display("msg")
            late = time.monotonic() - began >= seconds
            if printed.full:
                return Ran("output", stdout=printed.text)
            if late and isinstance(fault, TimeoutError):
                return None
            if isinstance(fault, MemoryError) and said.startswith("memory limit"):
                return Ran("memory", stdout=printed.text, error=said)
            return Ran("error", stdout=printed.text, error=error.display("traceback")[-4096:])
        except (OSError, RuntimeError) as error:
            raise SandboxError(f"the interpreter does not answer: {error}") from error
        finally:
            if watch is not None:
                watch.close()
        if printed.full or sum(map(len, filter(None, values))) > self._limits.output:
            return Ran("output", stdout=printed.text)
        spent = math.nan if watch is None else watch.spent
        return Ran("ended", values, printed.text, seconds=spent)

    def _values(
        self, session: Any, cases: tuple[str, ...], given: dict[str, Any]
    ) -> tuple[str | None, ...]:
        """The cases' values: all at once, or, if one of them has none, one by one."""
        most = self._limits.output + 1
        listed = "".join(f"repr((\n{case}\n))[:{most}],\n" for case in cases)
        try:
            found = session.feed_run(f"[\n{listed}]", **given)
        except (self._monty.MontySyntaxError, self._monty.MontyRuntimeError) as error:
            if isinstance(error.exception(), (TimeoutError, MemoryError)):
                raise
            if len(cases) == 1:
                return (None,)
            return tuple(self._values(session, (case,), given)[0] for case in cases)
        if not isinstance(found, list) or len(found) != len(cases):
            return (None,) * len(cases)
        return tuple(value if isinstance(value, str) else None for value in found)


class _Printed:
    """What a program prints, up to so many bytes."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._parts: list[str] = []

    @property
    def full(self) -> bool:
        return self._left <= 0

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def __call__(self, stream: str, text: str) -> None:
        size = len(text.encode(errors="replace"))
        if size >= self._left:
            self._parts.append(text[: max(0, self._left)])
            self._left = 0
            raise MemoryError("more output than it may have")
        self._left -= size
        self._parts.append(text)


class _Watch:
    """Ends a worker when it has had so many seconds of a processor."""

    def __init__(self, launched: int, seconds: float) -> None:
        self.over, self.spent = False, math.nan
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(launched, seconds), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._done.set()
        self._thread.join()

    def _look(self, launched: int, seconds: float) -> None:
        try:
            first = psutil.Process(launched)
            process = next(
                (p for p in first.children(recursive=True) if p.name() == "monty"), first
            )
        except psutil.Error:
            return
        clock = (~process.pid << 3) | 2  # as clock_getcpuclockid makes it
        with contextlib.suppress(OSError):  # it has ended
            began = time.clock_gettime(clock)
            while not self._done.wait(LOOK_SECONDS):
                self.spent = time.clock_gettime(clock) - began
                if self.spent >= seconds:
                    self.over = True
                    os.kill(process.pid, signal.SIGKILL)
                    return


def _reading(lines: Any) -> Any:
    def read(prompt: object = "") -> str:
        for line in lines:
            return str(line)
        raise EOFError("EOF when reading a line")

    return read


def _launcher(folder: Path, limits: Limits, behind_walls: bool) -> Path:
    """A script that starts the interpreter within limits, and behind walls if asked to."""
    monty = Path(sysconfig.get_path("scripts")) / "monty"
    found = monty if monty.is_file() else shutil.which("monty")
    if found is None:
        raise OSError("pydantic-monty-runtime is not here: no program named monty")
    binary = Path(found).resolve()
    line = [str(binary)]
    if behind_walls:
        bubblewrap = find_bubblewrap()
        if bubblewrap is None:
            raise OSError("no bubblewrap")
        line = [*walled(bubblewrap, {"/monty": binary}), "/monty"]
    # Not exec: bubblewrap ends with the shell that started it, whichever thread started that.
    script = (
        f"#!/bin/sh\nulimit -c 0\nulimit -f 0\nulimit -v {(limits.memory + ADDRESSES) // 1024}\n"
        f'{shlex.join(line)} "$@"\nexit $?\n'
    )
    path = folder / "monty"
    path.write_text(script, encoding="utf-8")
    path.chmod(0o700)
    return path
