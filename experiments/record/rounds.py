"""Rounds of a run, one generation of every arm each, as its journal holds them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.course import Course
from mgptn.experiments.record.fields import RecordError
from mgptn.experiments.record.reading import (
    Contents,
    Damage,
    Frames,
    JournalError,
    nonsense,
    read_journal,
    unpack,
)
from mgptn.population.records.generation import Generation

JOURNAL = "journal.msgpack"


@dataclass(frozen=True, slots=True)
class Round:
    """One generation of every arm of a run, committed together."""

    committed: tuple[Committed, ...]

    @property
    def index(self) -> int:
        """The generation."""
        return self.committed[0].generation.index

    def of(self, arm: str) -> Committed | None:
        """What an arm did in this round."""
        return next((c for c in self.committed if c.arm == arm), None)

    def to_plain(self) -> dict[str, Any]:
        """As a journal's record."""
        arms = [c.to_plain() for c in self.committed]
        return {"kind": "generation", "index": self.index, "arms": arms}


AnyRound = TypeVar("AnyRound", bound=Round)


class RunRecord:
    """What a run's journal holds, read once and in order.

    Attributes
    ----------
    spans
        Of every round that was read, where its record's payload begins in the file, and how many
        bytes it has.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        self.spans: list[tuple[int, int]] = []
        self._frames = Frames(self.path)
        self._course = Course(folder)

    @property
    def offset(self) -> int:
        """Bytes up to the end of what was read."""
        return self._frames.offset

    @property
    def population_hash(self) -> str | None:
        """As of `Course`."""
        return self._course.population_hash

    @property
    def bound(self) -> bool:
        """As of `Course`."""
        return self._course.bound

    @property
    def damage(self) -> Damage | None:
        """Where what was read stops being intact, if it does."""
        return self._frames.damage

    def intact(self) -> Iterator[Round]:
        """Every round that was not read yet, up to the end or to the first `damage`.

        Raises
        ------
        JournalError
            If there is no journal.
        ManifestError
            If the manifest is another than the run was begun with.
        """
        for body, payload in self._frames:
            try:
                done = self._course.take(unpack(payload))
            except RecordError as error:
                self._frames.refuse(str(error))
                return
            if done:
                self.spans.append((body, len(payload)))
                yield Round(done)

    def rounds(self) -> Iterator[Round]:
        """As `intact`, for who can do nothing with part of a run that was altered.

        A record that is cut short, as a kill leaves it, is waited for: it is none yet.

        Raises
        ------
        JournalError
            As of `intact`; and after the last intact round if what follows was altered.
        """
        yield from self.intact()
        _refuse_altered(self.path, self.damage)


def read_rounds(folder: Path) -> Iterator[Round]:
    """Every round of a run, one at a time, of a journal that is checked whole before the first.

    Raises
    ------
    JournalError, ManifestError
        As of `RunRecord.rounds`.
    """
    contents = read_journal(folder / JOURNAL)
    _refuse_altered(folder / JOURNAL, contents.damage)
    return rounds_in(contents)


def rounds_in(contents: Contents) -> Iterator[Round]:
    """The rounds of a journal whose links were checked already.

    Raises
    ------
    JournalError
        If a record is none that a run writes, or stands in another's place.
    """
    path = contents.records.path
    course = Course(path.parent)
    for place, record in enumerate(contents.records):
        try:
            done = course.take(record)
        except RecordError as error:
            damage = nonsense(contents.records.offset(place), place, str(error))
            raise _altered(path, damage) from None
        if done:
            yield Round(done)


def read_run(path: Path) -> Contents:
    """A run's journal as far as it is intact: links hold, and every record is one that runs write.

    Raises
    ------
    JournalError
        If there is no file, or it is not a journal at all.
    ManifestError
        If the manifest is another than the run was begun with.
    """
    contents = read_journal(path)
    course = Course(path.parent)
    for place, record in enumerate(contents.records):
        try:
            course.take(record)
        except RecordError as error:
            return contents.before(place, str(error))
    return contents


def ended_with(contents: Contents) -> str | None:
    """The population hash that a journal ends with; None where the run has not ended."""
    last = contents.records[-1] if contents.records else None
    if not isinstance(last, dict) or last.get("kind") != "end":
        return None
    return str(last.get("population_hash"))


def _refuse_altered(path: Path, damage: Damage | None) -> None:
    """Refuse a journal that was altered; one that is cut short only is that of a run so far."""
    if damage is not None and not damage.torn:
        raise _altered(path, damage)


def _altered(path: Path, damage: Damage) -> JournalError:
    return JournalError(
        f"{path}: at byte {damage.offset}: {damage.reason}; what stands before is intact: "
        f"'mgptn resume {path.parent}' carries on from there, and keeps the rest beside it"
    )


def first_and_last(rounds: Iterable[AnyRound]) -> list[AnyRound]:
    """The ends of a run: two rounds, or one where there is one, or none."""
    ends: list[AnyRound] = []
    for done in rounds:
        ends[1:] = [done]
    return ends


def generations_of(rounds: Sequence[Round], arm: str) -> list[Generation]:
    """An arm's generations in rounds."""
    return [c.generation for c in (r.of(arm) for r in rounds) if c is not None]


def population_hash(generations: Iterable[Generation]) -> str:
    """One hexadecimal hash of the whole course of a population."""
    return joint_hash(generation.digest for generation in generations)


def joint_hash(digests: Iterable[str]) -> str:
    """The population hash of generations with these digests."""
    content = hashlib.blake2b(digest_size=32, person=b"mgptn.run")
    for digest in digests:
        content.update(bytes.fromhex(digest))
    return content.hexdigest()
