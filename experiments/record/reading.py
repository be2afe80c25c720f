"""A journal as it is read: an append-only file of framed, hash-chained msgpack records.

    file   := MAGIC frame*
    frame  := length (4 bytes, little-endian) payload (msgpack) link (32 bytes)
    link   := BLAKE2b-256(link of the frame before, or of MAGIC; payload)

A frame is whole or it does not count; a link vouches for every byte before it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, overload

import msgpack

FORMAT = 4
MAGIC = b"MGPTN-JOURNAL-%d\n" % FORMAT
EARLIER = {b"MGPTN-JOURNAL-%d\n" % version: version for version in range(1, FORMAT)}
LINK_BYTES = 32
_LENGTH_BYTES = 4

UNREADABLE = None
"""In place of a record whose bytes are no msgpack."""


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


class Records(Sequence[Any]):
    """A journal's records, each read from the file when it is asked for.

    Whoever wrote them may have written anything; what is no msgpack is `UNREADABLE`.

    Parameters
    ----------
    spans
        Offset and length of each record's payload.
    """

    def __init__(self, path: Path, spans: Sequence[tuple[int, int]]) -> None:
        self.path = path
        self._spans = tuple(spans)

    def offset(self, index: int) -> int:
        """Where a record's frame begins."""
        return self._spans[index][0] - _LENGTH_BYTES

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Records: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Records(self.path, self._spans[index])
        offset, length = self._spans[index]
        with self.path.open("rb") as file:
            file.seek(offset)
            return unpack(file.read(length))

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

    def before(self, place: int, reason: str) -> Contents:
        """What stands before a record that is intact but says nothing that can be."""
        offset = self.records.offset(place)
        link = first_link()
        if place:
            with self.records.path.open("rb") as file:
                file.seek(offset - LINK_BYTES)
                link = file.read(LINK_BYTES)
        return Contents(self.records[:place], offset, link, nonsense(offset, place, reason))


class Frames:
    """A journal's intact frames in order, from its beginning or from where somebody stopped.

    Iterating checks each frame as it is read, and ends where the file ends or is damaged; iterating
    again goes on from there. Nothing is read twice.

    Attributes
    ----------
    offset, link, count
        Bytes up to the end of the last intact frame, its link, and how many frames there were.
    damage
        Why it went no further; None at the end of the file.

    Raises
    ------
    JournalError
        If there is no file, or it is not a journal of this format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset, self.link, self.count = 0, first_link(), 0
        self._before = 0, self.link, 0
        self.damage: Damage | None = None

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Offset and bytes of each frame's payload."""
        try:
            with self.path.open("rb") as file:
                yield from self._frames(file)
        except OSError as error:
            raise JournalError(f"{self.path}: expected a journal, got: {error.strerror}") from error

    def refuse(self, reason: str) -> None:
        """Take the frame that was given last for damage, and stand before it again."""
        self.offset, self.link, self.count = self._before
        self.damage = nonsense(self.offset, self.count, reason)

    def _frames(self, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
        size = os.fstat(file.fileno()).st_size
        self.damage = None
        if not self.offset:
            self._begin(file)
        file.seek(self.offset)
        while self.damage is None and self.offset < size:
            body = self.offset + _LENGTH_BYTES
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            end = body + length + LINK_BYTES
            if body > size or end > size:
                reason = (
                    f"record {self.count} is cut short: expected {end - self.offset} bytes, "
                    f"got {size - self.offset}"
                )
                self.damage = Damage(self.offset, True, reason)
                return
            payload, found = file.read(length), file.read(LINK_BYTES)
            expected = next_link(self.link, payload)
            if found != expected:
                reason = (
                    f"record {self.count} was altered: expected link {expected.hex()[:16]}…, "
                    f"got {found[:8].hex()}…"
                )
                self.damage = Damage(self.offset, False, reason)
                return
            self._before = self.offset, self.link, self.count
            self.offset, self.link, self.count = end, expected, self.count + 1
            yield body, payload

    def _begin(self, file: BinaryIO) -> None:
        """Read the first bytes, which say the format."""
        begun = file.read(len(MAGIC))
        size = os.fstat(file.fileno()).st_size
        if begun != MAGIC and size <= len(MAGIC) and _only_begun(begun):
            reason = f"it was only begun: {size} of {len(MAGIC)} first bytes, or zeros for them"
            self.damage = Damage(0, True, reason)
            return
        if begun in EARLIER:
            raise JournalError(
                f"{self.path}: expected a journal of format {FORMAT}, got one of format "
                f"{EARLIER[begun]}, which this version cannot read; read it with the version named "
                "in manifest.json"
            )
        if begun != MAGIC:
            raise JournalError(
                f"{self.path}: expected a journal starting with {MAGIC!r}, got {begun!r}"
            )
        self.offset = len(MAGIC)


def _only_begun(begun: bytes) -> bool:
    """Are these the first bytes, as far as they have reached the disk before the power went?"""
    return all(got in (0, expected) for got, expected in zip(begun, MAGIC, strict=False))


def read_journal(path: Path) -> Contents:
    """Every intact record of a journal, and where the first fault is, if there is one.

    All of the file is checked, and none of it kept in memory.

    Raises
    ------
    JournalError
        If there is no file, or it is not a journal at all.
    """
    frames = Frames(path)
    spans = [(body, len(payload)) for body, payload in frames]
    return Contents(Records(path, spans), frames.offset, frames.link, frames.damage)


def nonsense(offset: int, place: int, reason: str) -> Damage:
    """Damage where a record's links hold, but it says what no run writes."""
    return Damage(offset, False, f"record {place} is none that a run writes: {reason}")


def unpack(payload: bytes) -> Any:
    """A record from a frame's payload; `UNREADABLE` where it is no msgpack."""
    try:
        return msgpack.unpackb(payload, strict_map_key=False)
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        return UNREADABLE


def first_link() -> bytes:
    """The link before the first frame."""
    return hashlib.blake2b(MAGIC, digest_size=LINK_BYTES).digest()


def next_link(before: bytes, payload: bytes) -> bytes:
    """The link after a frame."""
    link = hashlib.blake2b(before, digest_size=LINK_BYTES)
    link.update(payload)
    return link.digest()
