"""What a library that does mathematics is asked to do at most: by the text first, then by work.

A text that is too much is known by itself, so that it is given up on any machine alike. Time is the
processor's, not the clock's: a busy machine gives nothing up that an idle one would do.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ctypes
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

CPU_SECONDS = 10.0
"""Of one comparison: far more than any text takes that `too_much` lets through."""

SOONEST, AGAIN = 0.01, 0.5
"""Seconds between two looks at the processor's clock; and until who caught an `EnoughError` is
raised another."""

LONGEST, DEEPEST, MOST_DIGITS, LARGEST_EXPONENT = 2_000, 20, 300, 10_000
"""Of a text: characters, brackets within each other, digits of a number, and any exponent."""

_POWER = r"(?:\^|\*\*)"
_OPERAND = r"(?:\{[^{}]*\}|\([^()]*\)|[-+]?\s*(?:\d+|[a-zA-Z]|\\\w+))"
_TOWER = re.compile(rf"{_POWER}\s*{_OPERAND}\s*{_POWER}|{_POWER}\s*[{{(][^{{}}()]*{_POWER}")
_OF_A_POWER = re.compile(rf"{_POWER}[^{{}}()]*(?:\{{[^{{}}]*\}}|\([^()]*\))?\s*[)}}]+\s*{_POWER}")
_EXPONENT = re.compile(rf"{_POWER}\s*[{{(\s]*[-+]?\s*(\d+)")
_LARGE_FACTORIAL = re.compile(r"(?:\d{4,}|[)}])\s*!|!\s*[)}]*\s*!")


class EnoughError(BaseException):
    """The work is used up. No library that catches its own errors catches this one."""


def too_much(text: str) -> str | None:
    """Why a text is not read as mathematics, or None where it is.

    Given up are texts that are long, brackets that are deep, numbers of many digits, powers of
    powers, large exponents and large factorials: what they stand for may not fit any machine.
    """
    if len(text) > LONGEST:
        return f"{len(text)} characters"
    if _depth(text) > DEEPEST:
        return f"brackets {_depth(text)} deep"
    if re.search(rf"\d{{{MOST_DIGITS + 1}}}", text):
        return f"a number of more than {MOST_DIGITS} digits"
    if _TOWER.search(text) or _OF_A_POWER.search(text):
        return "a power of a power"
    if any(len(e) > 5 or int(e) > LARGEST_EXPONENT for e in _EXPONENT.findall(text)):
        return f"an exponent above {LARGEST_EXPONENT}"
    if _LARGE_FACTORIAL.search(text):
        return "a factorial of more than 3 digits"
    return None


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


@contextmanager
def bounded_work(seconds: float = CPU_SECONDS) -> Iterator[None]:
    """End what this thread does within by `EnoughError` after so much of the processor's time.

    It comes between two steps of the interpreter, in whichever thread; and again, where it was
    caught. A single step is not interrupted.

    What is bounded is called within, not looped over there: on Python 3.13, what comes just where
    a loop jumps back passes by all handlers around that loop in the same function, this one's too.
    """
    working, over, lock = threading.get_ident(), threading.Event(), threading.Lock()
    clock = _clock_of(working)
    until = clock() + seconds

    def watch() -> None:
        left = seconds
        while not over.wait(max(left, SOONEST)):
            with lock:
                left = until - clock()
                if left <= 0.0 and not over.is_set():
                    _raise_in(working, EnoughError)
                    left = AGAIN

    threading.Thread(target=watch, name="bounded work", daemon=True).start()
    try:
        yield
    finally:
        ended = False
        while not ended:
            try:
                with lock:
                    over.set()
                    _raise_in(working, None)  # one that is on its way comes too late
                ended = True
            except EnoughError:
                continue


def _clock_of(thread: int) -> Callable[[], float]:
    """Seconds of the processor that a thread has had; where that is not told, that all have."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    return partial(time.clock_gettime, time.pthread_getcpuclockid(thread))


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Have a thread be raised an exception, or none of those that have not come yet."""
    raised = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
