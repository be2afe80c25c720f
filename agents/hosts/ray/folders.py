"""Private folders for what Ray writes: made for one run, removed with it, swept where it died.

Whoever made one holds a lock in it for as long as they live, whatever kills them; so a folder whose
lock is free is nobody's. A process's number would say less: others may have it by now, and
containers that share a folder count for themselves.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "mgptn-"
LOCK = "lock"
INSIDE = "r"
"""What is handed out, below what is private: Ray opens the folder that it is given to everybody."""

LONGEST = (107 if sys.platform == "linux" else 103) - 64
"""Characters of a folder's path: systems take so many of the path of a socket, and Ray puts the
others behind it."""

REMOVING = 2.0
"""Seconds for which a folder is removed again where processes that end still write into it."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only this user can reach, for as long as the context lasts.

    It is below ``RAY_TMPDIR`` if that is set, and else where temporary files belong. Before it is
    made, those of this user's runs that have died are removed.

    Raises
    ------
    OSError
        If it cannot be made, or what ``RAY_TMPDIR`` names is too long a path for a socket.
    """
    root = _root()
    sweep(root)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))  # mode 0700
    lock = _locked(folder)
    try:
        inside = folder / INSIDE
        inside.mkdir()
        yield inside
    finally:
        _remove(folder)
        os.close(lock)


def sweep(root: Path) -> list[Path]:
    """Remove this user's folders whose makers are gone; which they were."""
    swept = []
    for folder in sorted(root.glob(f"{PREFIX}*")):
        with suppress(OSError):
            state = folder.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
                continue
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                swept.append(folder)
            finally:
                os.close(lock)
    return swept


def _root() -> Path:
    """Where folders are made: a place whose path leaves room for the names of sockets."""
    room = LONGEST - len(f"/{PREFIX}12345678/{INSIDE}")
    chosen = os.environ.get("RAY_TMPDIR")
    if chosen:
        if len(os.path.abspath(chosen)) > room:
            raise OSError(
                f"RAY_TMPDIR: expected a path of at most {room} characters, since the names of "
                f"sockets stand behind it, got {chosen}"
            )
        Path(chosen).mkdir(parents=True, exist_ok=True)
        return Path(os.path.abspath(chosen))
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) <= room else Path("/tmp")


def _locked(folder: Path) -> int:
    """Take a new folder's lock, which nobody finds there before it is taken."""
    unseen = folder / f"{LOCK}.new"
    lock = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    unseen.rename(folder / LOCK)
    return lock


def _remove(folder: Path) -> None:
    """Remove a folder; what cannot be removed now is, when its lock is free, by who comes next."""
    until = time.monotonic() + REMOVING
    while True:
        for inside in folder.iterdir():
            if inside.name != LOCK:  # the last to go, or nobody would come back for the rest
                shutil.rmtree(inside, ignore_errors=True)
                if inside.is_symlink() or inside.is_file():
                    inside.unlink(missing_ok=True)
        if [inside.name for inside in folder.iterdir()] == [LOCK]:
            shutil.rmtree(folder, ignore_errors=True)
            return
        if time.monotonic() > until:
            return
        time.sleep(0.05)
