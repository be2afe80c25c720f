"""What is run in a sandbox, within which limits, and what comes back of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MIB: Final = 2**20

Status = Literal["ended", "error", "time", "memory", "output", "refused", "unknown"]
"""How a program came out.

``ended``: it ran to its end. ``error``: it raised, exited by another number than 0, or was ended by
a signal. ``time``, ``memory``, ``output``: it took all that it may. ``refused``: it was not run.
``unknown``: the sandbox failed or the machine was too slow, and nothing is known of the program.
"""


class SandboxError(RuntimeError):
    """No sandbox: which kinds were tried, and what is the matter with each."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may take.

    Attributes
    ----------
    seconds
        Of a processor.
    wall
        Of a clock on the wall. A program that has not used up its `seconds` by then was not given
        them by the machine, and is ``unknown``.
    memory
        Bytes: of heap for the small interpreter; of addresses, the interpreter's own among them,
        for CPython.
    output
        Bytes of standard output, of standard error, and of values, each.
    source
        Bytes of source, cases and standard input together; what is longer is refused.
    """

    seconds: float = 1.0
    wall: float = 30.0
    memory: int = 256 * MIB
    output: int = 64 * 1024
    source: int = 1 * MIB


@dataclass(frozen=True, slots=True)
class Program:
    """A program in Python.

    Attributes
    ----------
    source
        Run first, as a module of its own.
    cases
        Expressions, evaluated one after another in what `source` has defined; the small interpreter
        evaluates all again where one of them raises.
    stdin
        What `input()` reads.
    """

    source: str
    cases: tuple[str, ...] = ()
    stdin: str = ""

    def too_long(self, limit: int) -> bool:
        """Is it longer than so many bytes, or no text that could be sent?"""
        texts = (self.source, self.stdin, *self.cases)
        if sum(map(len, texts)) > limit:
            return True
        try:
            return sum(len(text.encode()) for text in texts) > limit
        except UnicodeEncodeError:
            return True


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a program. All but `status` and `seconds` is what the program says.

    Attributes
    ----------
    status
        How it came out; `Status` says what each is.
    values
        For each case the `repr` of its value, or None if it has none: because it raised, or because
        the program ended before. Empty unless the program has ``ended``.
    stdout
        What it printed, cut off at the limit.
    error
        What it left on standard error, or why it is not known what became of it; for people.
    exit
        Its exit status, minus the signal's number if one ended it; None where it has none.
    seconds
        Of a processor that it took; NaN where that was not measured.
    """

    status: Status
    values: tuple[str | None, ...] = ()
    stdout: str = ""
    error: str = ""
    exit: int | None = None
    seconds: float = float("nan")
