"""What a tile's wall time goes to."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from mgptn.agents.requests import Work


class Clock:
    """Adds the time spent to the fields of a `Work`.

    On a GPU the work that Python asks for goes on by itself, and is waited for where its results
    are looked at: its time is counted there.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._began = time.perf_counter()

    def lap(self, name: str) -> None:
        """Book the time since the last lap: to `forward`, `sampling` or `transfer`."""
        now = time.perf_counter()
        setattr(self._work, name, getattr(self._work, name) + now - self._began)
        self._began = now

    @staticmethod
    @contextmanager
    def whole(work: Work) -> Iterator[Clock]:
        """A tile from beginning to end."""
        began = time.perf_counter()
        yield Clock(work)
        work.seconds += time.perf_counter() - began
