"""The kinds of sandboxes, within which limits a program is run, and when nothing can run it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["bubblewrap", "interpreter"]

MIB: Final = 2**20


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
