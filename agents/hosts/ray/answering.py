"""SIGTERM, answered while Ray ends: in the middle of that, Ray has the system answer it.

It does so behind Python's back, so that a process that would have put things in order ends at once
and without a word. Python's own interface sets handlers in the main thread alone, which has
something else to do; the interpreter's sets them in any.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

EVERY = 0.02
"""Seconds between two looks; as long SIGTERM may go unanswered."""


@contextmanager
def still_answered() -> Iterator[None]:
    """While the context lasts, a SIGTERM that Python answers is answered by Python."""
    answering = _pythons()
    if not answering:
        yield
        return
    get, set_ = _interpreter()
    over = threading.Event()

    def look() -> None:
        last = False
        while not last:
            last = over.wait(EVERY)
            if callable(signal.getsignal(signal.SIGTERM)) and not get(signal.SIGTERM):
                set_(signal.SIGTERM, answering)

    looking = threading.Thread(target=look, name="answering", daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _pythons() -> int:
    """Address of what the system calls for signals that Python answers; 0 if it answers none."""
    try:
        get, _ = _interpreter()
    except (AttributeError, ValueError):  # another interpreter than CPython: it ends as Ray has it
        return 0
    answered = (one for one in (signal.SIGTERM, signal.SIGINT) if callable(signal.getsignal(one)))
    return next((get(one) or 0 for one in answered if get(one)), 0)


def _interpreter() -> tuple[Callable[[int], Any], Callable[[int, int], Any]]:
    """What reads and sets handlers: address by number, number and address to the one before."""
    get = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_int)(("PyOS_getsig", ctypes.pythonapi))
    set_ = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
        ("PyOS_setsig", ctypes.pythonapi)
    )
    return get, set_
