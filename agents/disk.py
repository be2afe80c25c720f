"""The system's calls by which files are changed, in one place, so that others can stand in.

What a run must not lose is written by these: its journal, its manifest, its store of weights. What
is only read, or can be derived again, has no need of them.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO


class Disk:
    """The system's own calls; each raises an OSError as the system does."""

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        """A descriptor of a file or a folder."""
        return os.open(path, flags, mode)

    def file(self, path: Path, mode: str) -> BinaryIO:
        """A file to write: ``"wb"``, or ``"xb"`` where there may be none yet."""
        return path.open("xb") if mode == "xb" else path.open("wb")

    def write(self, descriptor: int, data: memoryview) -> int:
        """Bytes that were written, which may be fewer."""
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        """Return once what was written, or a folder's names, are on the disk."""
        os.fsync(descriptor)

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut a file off."""
        os.ftruncate(descriptor, length)

    def close(self, descriptor: int) -> None:
        """Close a descriptor of `open`."""
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of what has it."""
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        """Take a name away."""
        os.unlink(path)

    def mkdir(self, path: Path) -> None:
        """Make a folder."""
        os.mkdir(path)


_here: ContextVar[Disk] = ContextVar("disk", default=Disk())  # noqa: B039


def disk() -> Disk:
    """The calls by which files are changed here."""
    return _here.get()


@contextmanager
def standing_in(other: Disk) -> Iterator[None]:
    """Files are changed by other calls for as long as the context lasts, in this thread."""
    before = _here.set(other)
    try:
        yield
    finally:
        _here.reset(before)


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on the disk; an OSError names it."""
    descriptor = disk().open(folder, os.O_RDONLY)
    try:
        disk().fsync(descriptor)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from None
    finally:
        disk().close(descriptor)
