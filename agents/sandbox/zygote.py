"""What runs inside a box: a process that forks and never sees a program, and children that do.

It is run as a script, by a CPython that has the standard library alone, and imports nothing of this
package. Of each program it is told the limits, and is handed the open files through which the child
reads it and answers: no program's text or output is ever in the memory that the next one is a copy
of. How a child ended is told over a socket that no child has.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import codecs
import ctypes
import fcntl
import gc
import importlib
import io
import json
import math
import os
import random
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from typing import Any

REQUEST = struct.Struct("<ddQQ")
"""Seconds of a processor, seconds on the wall, bytes of memory, bytes of output."""

REPLY = struct.Struct("<BBiQ")
"""Was it set up, which limit ended it, its exit status, nanoseconds of a processor."""

NONE, TIME, WALL = 0, 1, 2
OUT_OF_MEMORY = 77
WRITTEN = "unicode_escape"
"""How values are written, a line each."""

SHOWN = 4
"""Places that a traceback names."""

FILES = 5
"""Handed over with each request: the program, its standard input, output and error, its values."""

VALUES, PROGRAM, READY = 3, 4, 5
ABOVE = 16
"""Files stand at this number or above until they are put where they belong."""

LIBC = ctypes.CDLL(None, use_errno=True)
SET_DUMPABLE, SET_NO_NEW_PRIVILEGES, SET_SECCOMP, BY_RULES = 4, 38, 22, 2

LOADED = (
    "bisect", "collections", "copy", "dataclasses", "enum", "functools", "heapq", "itertools",
    "math", "operator", "random", "re", "string", "typing",
)  # fmt: skip
"""Modules that are there before a program asks for them; the others of the library are read. Each
costs every program, whose process is a copy of this one."""


def main(number: int) -> None:
    """Serve whoever is at the other end of a socket, until nobody is.

    Parameters
    ----------
    number
        Of the socket, which carries messages with their boundaries.
    """
    control = socket.socket(fileno=_raised(number))
    rules = control.recv(2**16)
    for name in LOADED:
        try:
            importlib.import_module(name)
        except ImportError:  # a CPython that was built without: programs do without, too
            continue
    codecs.lookup(WRITTEN)
    gc.collect()
    gc.freeze()
    control.send(b"ready")
    while True:
        asked, files, _, _ = socket.recv_fds(control, REQUEST.size, FILES)
        if len(asked) < REQUEST.size or len(files) < FILES:
            return
        seconds, wall, memory, output = REQUEST.unpack(asked)
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            _child([*files, tell], (seconds, memory, output), rules)
        for one in (*files, tell):
            os.close(one)
        ended_by, status, spent = _watch(child, control, seconds, wall)
        ready = os.read(told, 1) == b"r"
        os.close(told)
        code = os.waitstatus_to_exitcode(status)
        control.send(REPLY.pack(ready, ended_by, code, round(spent * 1e9)))


def _watch(
    child: int, control: socket.socket, seconds: float, wall: float
) -> tuple[int, int, float]:
    """Wait for a child, and end it at a limit: which one, its status, its processor time."""
    clock = (~child << 3) | 2  # as clock_getcpuclockid makes it
    ends = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ends, select.POLLIN)
    poll.register(control.fileno(), 0)  # only whether the other side is gone
    ended_by, began = NONE, time.monotonic()
    while True:
        # A child of one thread takes no more of a processor than passes on the wall.
        left = min(seconds - time.clock_gettime(clock), wall - (time.monotonic() - began))
        events = dict(poll.poll(max(1, math.ceil(left * 1000))))
        if ends in events:
            break
        if events:
            os.kill(child, signal.SIGKILL)
            sys.exit()
        if time.clock_gettime(clock) >= seconds:
            ended_by = TIME
        elif time.monotonic() - began >= wall:
            ended_by = WALL
        if ended_by != NONE:
            os.kill(child, signal.SIGKILL)
            break
    os.close(ends)
    _, status, used = os.wait4(child, 0)
    spent = used.ru_utime + used.ru_stime
    return (TIME if ended_by == NONE and spent >= seconds else ended_by), status, spent


def _child(files: list[int], limits: tuple[float, int, int], rules: bytes) -> None:
    """Put a child behind its walls, tell that it is, and run the program. Never returns."""
    code = 1
    try:
        program, stdin, stdout, stderr, values, tell = map(_raised, files)
        for place, one in enumerate((stdin, stdout, stderr, values, program, tell)):
            os.dup2(one, place)
        os.closerange(READY + 1, 256)
        seconds, memory, output = limits
        whole = math.ceil(seconds) + 1
        for kind, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_CPU, whole),
            (resource.RLIMIT_FSIZE, output),
            (resource.RLIMIT_NOFILE, 64),
            (resource.RLIMIT_MEMLOCK, 0),
            (resource.RLIMIT_MSGQUEUE, 0),
            (resource.RLIMIT_AS, memory),
        ):
            resource.setrlimit(kind, (most, most))
        _confine(rules)
        os.write(READY, b"r")
        os.close(READY)
        code = _run()
    except BaseException:  # noqa: BLE001 (whatever it is, a child never goes on as a zygote)
        traceback.print_exc()
    finally:
        os._exit(code)


def _raised(number: int) -> int:
    """A copy of an open file out of the way of the places that files are put in."""
    copy: int = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, ABOVE)
    os.close(number)
    return copy


def _confine(rules: bytes) -> None:
    """Have the kernel hold this process, for good, to the system calls of the rules."""
    given = ctypes.byref(_Rules(len(rules) // 8, rules))
    for call in (
        (SET_DUMPABLE, 0, 0, 0, 0),
        (SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (SET_SECCOMP, BY_RULES, given, 0, 0),
    ):
        if LIBC.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


class _Rules(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("rules", ctypes.c_char_p))


def _run() -> int:
    """Read the program, run it, and write its values; its exit status."""
    with open(PROGRAM, encoding="utf-8") as file:
        source, cases = json.load(file)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8", "replace"
    )
    sys.argv = ["program.py"]
    random.seed(0)
    module: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    code = 0
    try:
        exec(compile(source, "program.py", "exec"), module)
        for case in cases:
            os.write(VALUES, _value(case, module))
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except MemoryError:
        code = OUT_OF_MEMORY
    except BaseException as fault:  # noqa: BLE001 (a program may raise anything)
        code = 1
        own = fault.__traceback__ and fault.__traceback__.tb_next
        traceback.print_exception(type(fault), fault, own, limit=-SHOWN)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, MemoryError):
        code = code or 1
    return code & 0xFF


def _value(case: str, module: dict[str, Any]) -> bytes:
    """A line for a case: its value as `repr` has it, or that it has none."""
    try:
        text = repr(eval(case, module))
    except Exception as fault:
        if isinstance(fault, MemoryError):
            raise
        return b"!\n"
    return b"=" + text.encode(WRITTEN) + b"\n"


if __name__ == "__main__":
    main(int(sys.argv[1]))
