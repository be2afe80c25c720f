"""The journal: an append-only file of framed, hash-chained msgpack records, durable one by one.

    file   := MAGIC frame*
    frame  := length (4 bytes, little-endian) payload (msgpack) link (32 bytes)
    link   := BLAKE2b-256(link of the frame before, or of MAGIC; payload)

A frame is whole or it does not count; a link vouches for every byte before it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, overload

import msgpack

FORMAT = 4
MAGIC = b"MGPTN-JOURNAL-%d\n" % FORMAT
EARLIER = {b"MGPTN-JOURNAL-%d\n" % version: version for version in range(1, FORMAT)}
LINK_BYTES = 32


class JournalError(RuntimeError):
    """A journal that cannot be written or read: says where, what was expected, what was got."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a journal stops being intact.

    `torn` tells a record cut short at the end of the file, as a killed process leaves it, from one
    that was altered.
    """

    offset: int
    torn: bool
    reason: str


class Records(Sequence[dict[str, Any]]):
    """A journal's records, each read from the file when it is asked for.

    Parameters
    ----------
    spans
        Offset and length of each record's payload.
    """

    def __init__(self, path: Path, spans: Sequence[tuple[int, int]]) -> None:
        self._path = path
        self._spans = tuple(spans)

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Records: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | Records:
        if isinstance(index, slice):
            return Records(self._path, self._spans[index])
        offset, length = self._spans[index]
        with self._path.open("rb") as file:
            file.seek(offset)
            record: dict[str, Any] = msgpack.unpackb(file.read(length), strict_map_key=False)
        return record

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Contents:
    """A journal's intact records, its length up to their end, the last link, and any damage."""

    records: Records
    intact_bytes: int
    link: bytes
    damage: Damage | None


def read_journal(path: Path) -> Contents:
    """Every intact record of a journal, and where the first fault is, if there is one.

    All of the file is checked, and none of it kept in memory.

    Raises
    ------
    JournalError
        If there is no file, or it is not a journal at all.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except OSError as error:
        raise JournalError(f"{path}: expected a journal, got: {error.strerror}") from error


def _read(path: Path, file: BinaryIO) -> Contents:
    size = os.fstat(file.fileno()).st_size
    begun = file.read(len(MAGIC))
    if len(begun) < len(MAGIC) and MAGIC.startswith(begun):
        torn = Damage(0, True, f"it was only begun: {len(begun)} of {len(MAGIC)} first bytes")
        return Contents(Records(path, ()), 0, _first_link(), torn)
    if begun in EARLIER:
        raise JournalError(
            f"{path}: expected a journal of format {FORMAT}, got one of format {EARLIER[begun]}, "
            "which this version cannot read; read it with the version named in manifest.json"
        )
    if begun != MAGIC:
        raise JournalError(f"{path}: expected a journal starting with {MAGIC!r}, got {begun!r}")
    spans: list[tuple[int, int]] = []
    offset, link = len(MAGIC), _first_link()
    while offset < size:
        body = offset + 4
        length = int.from_bytes(file.read(4), "little")
        end = body + length + LINK_BYTES
        if body > size or end > size:
            reason = (
                f"record {len(spans)} is cut short: expected {end - offset} bytes, "
                f"got {size - offset}"
            )
            return Contents(Records(path, spans), offset, link, Damage(offset, True, reason))
        expected, found = _link(link, file.read(length)), file.read(LINK_BYTES)
        if found != expected:
            reason = (
                f"record {len(spans)} was altered: expected link {expected.hex()[:16]}…, "
                f"got {found[:8].hex()}…"
            )
            return Contents(Records(path, spans), offset, link, Damage(offset, False, reason))
        spans.append((body, length))
        offset, link = end, expected
    return Contents(Records(path, spans), offset, link, None)


class Journal:
    """A journal open for appending. Use `create` or `reopen`."""

    def __init__(self, path: Path, descriptor: int, offset: int, link: bytes) -> None:
        self.path = path
        self._descriptor = descriptor
        self._offset = offset
        self._link = link

    @classmethod
    def create(cls, path: Path) -> Journal:
        """Start a journal where there is none.

        Raises
        ------
        JournalError
            If the file exists already; it is left as it is.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            raise JournalError(f"{path}: expected no journal there yet, got one") from None
        _lock(path, descriptor)
        journal = cls(path, descriptor, 0, _first_link())
        try:
            journal._write(MAGIC)
        except JournalError:
            journal.close()
            path.unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return journal

    @classmethod
    def reopen(cls, path: Path, contents: Contents) -> Journal:
        """Carry on after a journal's intact records, as `read_journal` found them.

        What stands after them is kept beside the journal, as ``<name>.damaged-<offset>``.

        Raises
        ------
        JournalError
            If another process has the journal open.
        """
        descriptor = os.open(path, os.O_RDWR)
        _lock(path, descriptor)
        size = os.fstat(descriptor).st_size
        if size > contents.intact_bytes:
            tail = os.pread(descriptor, size - contents.intact_bytes, contents.intact_bytes)
            kept = path.with_name(f"{path.name}.damaged-{contents.intact_bytes}")
            again = itertools.count(2)
            while kept.exists():
                kept = path.with_name(f"{path.name}.damaged-{contents.intact_bytes}-{next(again)}")
            with kept.open("xb") as file:
                file.write(tail)
                file.flush()
                os.fsync(file.fileno())
            os.ftruncate(descriptor, contents.intact_bytes)
        os.lseek(descriptor, contents.intact_bytes, os.SEEK_SET)
        journal = cls(path, descriptor, contents.intact_bytes, contents.link)
        if contents.intact_bytes == 0:
            journal._write(MAGIC)
        return journal

    def append(self, record: dict[str, Any]) -> None:
        """Write one record and wait until it is on the disk.

        Raises
        ------
        JournalError
            If it cannot be written whole, as on a full disk. The records before it stay intact.
        """
        payload: bytes = msgpack.packb(record)
        link = _link(self._link, payload)
        self._write(len(payload).to_bytes(4, "little") + payload + link)
        self._link = link

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
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

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, self._offset)
            os.lseek(self._descriptor, self._offset, os.SEEK_SET)
            raise JournalError(
                f"{self.path}: expected to write {len(data)} bytes at byte {self._offset}, got: "
                f"{error.strerror}; everything before is intact"
            ) from error
        self._offset += len(data)


def _lock(path: Path, descriptor: int) -> None:
    """Be the only one who writes this journal, for as long as it is open."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise JournalError(
            f"{path}: expected a journal that nobody else is writing, got one under way in "
            "another process"
        ) from None


def _first_link() -> bytes:
    return hashlib.blake2b(MAGIC, digest_size=LINK_BYTES).digest()


def _link(before: bytes, payload: bytes) -> bytes:
    link = hashlib.blake2b(before, digest_size=LINK_BYTES)
    link.update(payload)
    return link.digest()
