"""Ctrl-C: in the first seconds of a command, while it runs, and a second time.

Libraries that are being imported may swallow a KeyboardInterrupt, or turn it into another error.
So as long as there is nothing to put in order, Ctrl-C ends the process itself. Later it is raised
once, and the command puts things in order; whoever presses it again does not want to wait for that,
and the process ends at once, as it does by a SIGTERM then. Imports nothing but the standard
library.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED = 130
"""Exit status of what SIGINT has ended, as shells have it."""

UNWRITTEN = "\nInterrupted before anything was written."


_on: Callable[[], str] = str
"""Says how to go on after an interrupt; at first there is nothing to go on with."""


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Ctrl-C says so and ends the process; for as long as nothing is written."""
    with _answering(_leave):
        yield


@contextmanager
def raising() -> Iterator[None]:
    """Ctrl-C is a KeyboardInterrupt, as Python has it, the first time; the second time it ends the
    process, whatever is being put in order."""
    with _answering(_raise_once):
        yield


@contextmanager
def going_on(how: Callable[[], str]) -> Iterator[None]:
    """Say how to go on where a second Ctrl-C ends the process.

    Parameters
    ----------
    how
        Asked when it does; empty where there is nothing to go on with.
    """
    global _on
    before, _on = _on, how
    try:
        yield
    finally:
        _on = before


@contextmanager
def _answering(answer: Callable[[int, Any], Any]) -> Iterator[None]:
    here = threading.current_thread() is threading.main_thread()
    # A command in the background of a script, or under nohup, has been told to ignore it. One that
    # has been interrupted already is ending.
    if not here or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None, _leave_again):
        yield
        return
    before = signal.signal(signal.SIGINT, answer)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) != _leave_again:
            signal.signal(signal.SIGINT, before)


def _leave(number: int, frame: Any) -> None:
    os.write(2, f"{UNWRITTEN}\n".encode())
    os._exit(INTERRUPTED)


def _raise_once(number: int, frame: Any) -> None:
    signal.signal(signal.SIGINT, _leave_again)
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, _leave_again)
    raise KeyboardInterrupt


def _leave_again(number: int, frame: Any) -> None:
    os.write(2, f"\nInterrupted twice. {_on()}".rstrip().encode() + b"\n")
    os._exit(INTERRUPTED)
