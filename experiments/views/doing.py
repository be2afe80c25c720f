"""What a command is doing before its first result: said at once, on standard error.

Imports nothing but the standard library, so that it can be said before the libraries are loaded.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ERASE = "\r\x1b[K"
"""To the start of a terminal's line, which is emptied."""


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say what is being done: a line that goes away on a terminal, and one that stays elsewhere.

    Standard output has none of it, and that nobody reads standard error ends no command.
    """
    terminal = _shows_in_place()
    _say(f"{what} …" if terminal else f"{what} …\n")
    try:
        yield
    finally:
        if terminal:
            _say(ERASE)


def _shows_in_place() -> bool:
    return _is_open() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _say(text: str) -> None:
    if _is_open():
        with suppress(OSError):  # its reader is gone
            sys.stderr.write(text)
            sys.stderr.flush()


def _is_open() -> bool:
    return sys.stderr is not None and not sys.stderr.closed
