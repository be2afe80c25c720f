"""A journal as it is written: one record after another, each on the disk before the next.

`reading` has its format. Whoever has a journal open is the only one who writes it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgpack

from mgptn.agents.disk import disk, sync_folder
from mgptn.experiments.record.reading import (
    MAGIC,
    Contents,
    JournalError,
    Records,
    first_link,
    next_link,
    read_journal,
)


class Journal:
    """A journal open for appending, and locked for as long as it is. Use `create` or `reopen`.

    Attributes
    ----------
    contents
        What was intact in it when it was opened.
    """

    def __init__(self, path: Path, descriptor: int, contents: Contents) -> None:
        self.path = path
        self.contents = contents
        self._descriptor = descriptor
        self._offset = contents.intact_bytes
        self._link = contents.link
        self._begun = False

    @classmethod
    def create(cls, path: Path) -> Journal:
        """Start a journal where there is none.

        Raises
        ------
        JournalError
            If the file exists already; it is left as it is.
        """
        try:
            descriptor = disk().open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            raise JournalError(f"{path}: expected no journal there yet, got one") from None
        except OSError as error:
            raise JournalError(f"{path}: expected to begin it, got: {error.strerror}") from error
        _lock(path, descriptor)
        journal = cls(path, descriptor, Contents(Records(path, ()), 0, first_link(), None))
        try:
            journal._begin()
            sync_folder(path.parent)
        except (JournalError, OSError) as error:
            journal.close()
            with suppress(OSError):
                disk().unlink(path)
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"{path}: expected to begin it, got: {error.strerror}") from error
        return journal

    @classmethod
    def reopen(cls, path: Path, read: Callable[[Path], Contents] = read_journal) -> Journal:
        """Lock a journal, and only then read it: nothing can be committed in between.

        Its file is as it was until the first record is appended. Then what stands after the intact
        ones is cut off, and kept beside it as ``<name>.damaged-<offset>``.

        Parameters
        ----------
        read
            What of it is intact: its links, unless somebody knows what must stand in it.

        Raises
        ------
        JournalError
            If there is no journal, or another process has it open; and whatever `read` raises.
        """
        try:
            descriptor = disk().open(path, os.O_RDWR)
        except OSError as error:
            raise JournalError(f"{path}: expected a journal, got: {error.strerror}") from error
        _lock(path, descriptor)
        try:
            journal = cls(path, descriptor, read(path))
            journal._settle()
            return journal
        except BaseException:
            disk().close(descriptor)
            raise

    def trim(self) -> None:
        """Cut off what is not intact now, where nothing is to be appended."""
        if not self._begun:
            self._begin()

    def append(self, record: dict[str, Any]) -> None:
        """Write one record and wait until it is on the disk.

        Raises
        ------
        JournalError
            If it cannot be written whole, as on a full disk, or is no longer where it was, as in
            a folder that was removed. The records before it stay intact.
        """
        self._check_place()
        if not self._begun:
            self._begin()
        payload: bytes = msgpack.packb(record)
        link = next_link(self._link, payload)
        self._write(len(payload).to_bytes(4, "little") + payload + link)
        self._link = link

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        if self._descriptor >= 0:
            disk().close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_place(self) -> None:
        """Refuse to write into a file that nobody will find."""
        here = os.fstat(self._descriptor)
        try:
            found = os.stat(self.path)
            same = (found.st_dev, found.st_ino) == (here.st_dev, here.st_ino)
        except OSError:
            same = False
        if not same:
            raise JournalError(
                f"{self.path}: expected the journal that is being written, got "
                f"{'nothing' if not self.path.exists() else 'another file'}: the run's folder was "
                "removed, moved or replaced as it went on; what follows would be lost"
            )

    def _settle(self) -> None:
        """Have the last record on the disk: what is read of it is told as committed.

        Who wrote it may have been killed as it waited for the disk, or have seen that fail. Then
        the system may take it for written, so that it is written once more.
        """
        records, end = self.contents.records, self._offset
        begin = records.offset(-1) if records else 0
        try:
            self._write_at(begin, os.pread(self._descriptor, end - begin, begin))
            sync_folder(self.path.parent)
        except OSError as error:
            raise JournalError(
                f"{self.path}: expected what is intact of it on the disk, got: {error.strerror}"
            ) from error

    def _begin(self) -> None:
        """Cut off what is not intact, and stand at the end."""
        size = os.fstat(self._descriptor).st_size
        if size > self._offset:
            try:
                self._keep(os.pread(self._descriptor, size - self._offset, self._offset))
                disk().truncate(self._descriptor, self._offset)
            except OSError as error:
                raise JournalError(
                    f"{self.path}: expected to keep what stands after byte {self._offset} beside "
                    f"it, and to cut it off, got: {error.strerror}; everything before is intact"
                ) from error
        if not self._offset:
            self._write(MAGIC)
        self._begun = True

    def _keep(self, tail: bytes) -> None:
        """Write what is cut off beside the journal, under a name that is free."""
        name = f"{self.path.name}.damaged-{self._offset}"
        kept = self.path.with_name(name)
        again = itertools.count(2)
        while kept.exists():
            kept = self.path.with_name(f"{name}-{next(again)}")
        with disk().file(kept, "xb") as file:
            file.write(tail)
            file.flush()
            disk().fsync(file.fileno())
        sync_folder(self.path.parent)

    def _write(self, data: bytes) -> None:
        try:
            self._write_at(self._offset, data)
        except OSError as error:
            with suppress(OSError):  # what then is left of it is cut off by who carries the run on
                disk().truncate(self._descriptor, self._offset)
            raise JournalError(
                f"{self.path}: expected to write {len(data)} bytes at byte {self._offset}, got: "
                f"{error.strerror}; everything before is intact"
            ) from error
        self._offset += len(data)

    def _write_at(self, offset: int, data: bytes) -> None:
        """Write, and wait until it is on the disk."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[disk().write(self._descriptor, view) :]
        disk().fsync(self._descriptor)


def _lock(path: Path, descriptor: int) -> None:
    """Be the only one who writes this journal, for as long as it is open."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        disk().close(descriptor)
        raise JournalError(
            f"{path}: expected a journal that nobody else is writing, got one under way in "
            "another process"
        ) from None
