"""The runs of a page: found, read in a thread of their own, and what is new told to who listens."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.manifest import ManifestError
from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.watching.finding import (
    MOST,
    Found,
    look_at,
    run_folders,
    seconds_left,
    unbegun,
)
from mgptn.experiments.watching.watched import Watched, plain

POLL_SECONDS = 0.3
LOOK_SECONDS = 3.0
"""Between two looks at which runs there are."""

READ = 8
"""Runs that are read at a time: those that somebody looked at last."""

KEPT_EVENTS = 2_000
"""Events that a browser that was away can be sent; one that missed more reads all anew."""


class Shelf:
    """What a page shows: a list of runs, of which those that are looked at are read.

    Parameters
    ----------
    folders
        Of runs, or that hold runs.

    Raises
    ------
    WatchError
        As of `run_folders`.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._named = run_folders(self._folders)
        self._found: dict[str, Found] = {}
        self._watched: dict[str, Watched] = {}
        self._events: list[tuple[int, str]] = []
        self._count = 0
        self._lock = threading.RLock()
        self._listeners: set[Callable[[], None]] = set()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self.boot = secrets.token_hex(4)
        """Names this shelf: an event's number is of one shelf only."""
        self._look()
        self._thread = threading.Thread(target=self._read, name="mgptn-watch", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no further."""
        self._stopping.set()
        self._wake.set()
        self._tell_listeners()

    @property
    def stopping(self) -> bool:
        """Is it at its end?"""
        return self._stopping.is_set()

    def overview(self) -> dict[str, Any]:
        """Every run with how far it is, how many are left out, and how long all of them take."""
        with self._lock:
            found = list(self._found.values())
        to_begin = unbegun(self._folders, {one.folder for one in found})
        planned = sum(one.planned for one in found) + sum(count for _, count in to_begin)
        left = seconds_left(found, planned)
        runs = [one.to_plain() for one in found]
        return {
            "runs": runs[:MOST],
            "left_out": max(0, len(runs) - MOST),
            "to_begin": len(to_begin),
            "planned": planned,
            "seconds_left": None if left is None else plain(left),
            "boot": self.boot,
        }

    def run(self, name: str) -> Watched:
        """A run, which is read from now on.

        Raises
        ------
        LookupError
            If there is none of this name.
        ConfigError, ManifestError, JournalError
            If it cannot be read.
        """
        with self._lock:
            if name not in self._found:
                raise LookupError(f"run: expected one of those that are listed, got {name!r}")
            watched = self._watched.pop(name, None)
            if watched is None:
                watched = Watched(self._found[name].folder, name)
                self._wake.set()
            self._watched[name] = watched
            while len(self._watched) > READ:
                self._watched.pop(next(iter(self._watched)))
            return watched

    def events_since(self, last: int) -> list[tuple[int, str]] | None:
        """Number and JSON of every event after one; None where some of them are gone."""
        with self._lock:
            if last > self._count or last < self._count - len(self._events):
                return None
            return [event for event in self._events if event[0] > last]

    @property
    def last_event(self) -> int:
        """The number of the newest event."""
        return self._count

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this whenever there is an event, from another thread."""
        with self._lock:
            self._listeners.add(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        with self._lock:
            self._listeners.discard(listener)

    def _read(self) -> None:
        looked = time.monotonic()
        while not self._stopping.is_set():
            self._wake.clear()
            if time.monotonic() - looked > LOOK_SECONDS:
                self._look()
                looked = time.monotonic()
            with self._lock:
                watched = list(self._watched.values())
            for run in watched:
                self._read_one(run)
            self._wake.wait(POLL_SECONDS)

    def _read_one(self, run: Watched) -> None:
        ended, fault = run.ended, run.fault
        for row in run.read():
            self._publish({"kind": "round", "run": run.name, "row": row})
            if self._stopping.is_set():
                return
        if run.ended and not ended:
            self._publish({"kind": "ended", "run": run.name, "finding": run.finding()})
        if run.fault != fault:
            self._publish({"kind": "fault", "run": run.name, "fault": run.fault})

    def _look(self) -> None:
        """Look which runs there are, and how far they are; those that ended are not looked at."""
        with suppress(ValueError):  # A folder may be gone: what was found is still told.
            self._named = run_folders(self._folders)
        changed = False
        for folder, name in self._named:
            before = self._found.get(name)
            if before is not None and before.ended:
                continue
            now = look_at(folder, name)
            changed = changed or now.to_plain() != (before.to_plain() if before else None)
            with self._lock:
                self._found[name] = now
        if changed:
            self._publish({"kind": "runs"})

    def _publish(self, event: dict[str, Any]) -> None:
        with self._lock:
            self._count += 1
            self._events.append((self._count, json.dumps(event)))
            del self._events[:-KEPT_EVENTS]
        self._tell_listeners()

    def _tell_listeners(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


UNREADABLE = (ConfigError, ManifestError, JournalError)
"""What a run raises that cannot be read."""
