"""Ctrl-C in the first seconds of a command, while it has written nothing.

Libraries that are being imported may swallow a KeyboardInterrupt, or turn it into another error. So
as long as there is nothing to put in order, Ctrl-C ends the process itself. Imports nothing but the
standard library.
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


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Ctrl-C says so and ends the process; for as long as nothing is written."""
    with _answering(_leave):
        yield


@contextmanager
def raising() -> Iterator[None]:
    """Ctrl-C is a KeyboardInterrupt, as Python has it."""
    with _answering(signal.default_int_handler):
        yield


@contextmanager
def _answering(answer: Callable[[int, Any], Any]) -> Iterator[None]:
    here = threading.current_thread() is threading.main_thread()
    # A command in the background of a script, or under nohup, has been told to ignore it.
    if not here or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield
        return
    before = signal.signal(signal.SIGINT, answer)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave(number: int, frame: Any) -> None:
    os.write(2, f"{UNWRITTEN}\n".encode())
    os._exit(INTERRUPTED)
