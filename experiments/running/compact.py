"""`mgptn compact`: a run's journal without what no view needs, and the same run all the same.

The new journal is written in a folder of its own within the run's, and must say the same, round by
round, and be replayed to the same population hash, before it takes the old one's place.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mgptn.agents.disk import disk, sync_folder
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.record.binding import KIND
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.compacted import (
    CONVERSATIONS,
    Compacted,
    compact_round,
    compaction_of,
    without_conversations,
)
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.record.reading import Contents, read_journal
from mgptn.experiments.record.rounds import JOURNAL, Round, ended_with, read_run, rounds_in
from mgptn.experiments.running.replay import replay
from mgptn.population.records.population import Population

ALL, NUMBERS = "all", "numbers"
KEPT = {ALL: (), NUMBERS: (CONVERSATIONS,)}
"""What may be kept → names of what is dropped for it, as of `Compacted`."""

BESIDE = ".compacting"
"""Folder within the run's, in which the new journal is written; of a crash it may be left."""


class CompactError(ValueError):
    """A run whose journal is not made compact: says what was expected and what was got."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a journal: its bytes before and after, and the hash that both say."""

    before: int
    after: int
    population_hash: str


def describe_compaction(folder: Path, keep: str) -> list[str]:
    """Lines of what would be dropped from a run's journal, and what no longer works without.

    Raises
    ------
    CompactError, ConfigError, ManifestError, JournalError
        If the folder holds no run, or nothing is left to drop from it.
    """
    recorded(folder)
    dropped = _dropped(folder, keep)
    lines = [
        f"{folder / JOURNAL}: dropped is what stands there twice or follows from the seed (who "
        "answers, where that is who survived the generation before; who grades whom, where that "
        "is drawn at random); what is left takes less room. Every command goes on to work."
    ]
    if CONVERSATIONS in dropped:
        lines.append(
            "Dropped for good are conversations: answers that entered no context, and all drafts, "
            "rivals' answers and critiques. mgptn transcript and export will refuse the run; its "
            "tables and report will say '(not kept)' in their place. Every number, replay and the "
            "population hash stay."
        )
    return lines


def compact(folder: Path, keep: str) -> Saved:
    """Put a compact journal in the place of a run's, which has ended.

    Parameters
    ----------
    keep
        `ALL` that any view needs, or `NUMBERS` without conversations.

    Raises
    ------
    CompactError
        If the run has not ended, its journal is damaged, or it would not say the same any more; the
        old journal is then as it was.
    ConfigError, ManifestError, JournalError
        If the folder holds no run, or it is being written.
    """
    _, config = recorded(folder)
    dropped = _dropped(folder, keep)
    path, aside = folder / JOURNAL, folder / BESIDE
    with Journal.reopen(path, read_run) as journal:
        contents = journal.contents
        ended = ended_with(contents)
        if contents.damage is not None or ended is None:
            got = "one that has not ended" if contents.damage is None else contents.damage.reason
            raise CompactError(f"{path}: expected the journal of a run that has ended, got {got}")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        try:
            shutil.copyfile(folder / MANIFEST, aside / MANIFEST)
            _write(contents, aside / JOURNAL, config.seed, dropped)
            _check(aside, contents, dropped, ended)
            before, after = path.stat().st_size, (aside / JOURNAL).stat().st_size
            if after >= before:
                raise CompactError(
                    f"{path}: expected a journal that takes less room when it is compact, got one "
                    f"of {before:,} bytes that would take {after:,}"
                )
            disk().replace(aside / JOURNAL, path)
            sync_folder(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return Saved(before, after, ended)


def _dropped(folder: Path, keep: str) -> tuple[str, ...]:
    """What a compact journal will lack, with what it lacks already."""
    found = compaction_of(folder / JOURNAL)
    if found is None:
        return KEPT[keep]
    dropped = tuple(dict.fromkeys((*found.dropped, *KEPT[keep])))
    if dropped == found.dropped:
        raise CompactError(
            f"{folder / JOURNAL}: expected a journal with something to drop, got one that was "
            f"compacted on {found.date}"
        )
    return dropped


def _write(contents: Contents, path: Path, seed: int, dropped: tuple[str, ...]) -> None:
    said = Compacted(date.today().isoformat(), dropped, contents.link.hex())
    before: dict[str, Population] = {}
    with Journal.create(path) as journal:
        first = contents.records[0]
        if first["kind"] == KIND:
            journal.append(first)
        journal.append(said.to_plain())
        for done in rounds_in(contents):
            journal.append(compact_round(done.committed, before, seed, dropped))
            before = {one.arm: one.generation.survivors for one in done.committed}
        journal.append(contents.records[-1])


def _check(aside: Path, contents: Contents, dropped: tuple[str, ...], ended: str) -> None:
    """Refuse a compact journal that says anything else than the one that it is made of."""
    for was, now in zip(rounds_in(contents), _rounds(aside), strict=True):
        for old, new in zip(was.committed, now.committed, strict=True):
            if new != _left(old, dropped):
                raise CompactError(
                    f"{contents.records.path}: expected generation {was.index} of arm {old.arm} "
                    "to be as it was when it is compact, got another"
                )
    found = replay(aside)
    if not found.confirmed or found.population_hash != ended:
        said = (*found.differences, f"population hash {found.population_hash}")[0]
        raise CompactError(
            f"{contents.records.path}: expected a run that is replayed to population hash {ended} "
            f"when it is compact, got {said}"
        )


def _rounds(folder: Path) -> Iterator[Round]:
    contents = read_journal(folder / JOURNAL)
    if contents.damage is not None:
        raise CompactError(f"{folder / JOURNAL}: expected it as it was written, got damage")
    return rounds_in(contents)


def _left(one: Committed, dropped: tuple[str, ...]) -> Committed:
    return without_conversations(one) if CONVERSATIONS in dropped else replace(one)
