"""What must hold of a run whatever befalls it; who breaks it is told by name.

Of a run that ends: the hash of one that nothing befell, also derived from the journal alone, and
nothing left beside it that a run does not keep. Of one that stops: an error of one line that is
meant for whoever started it. At any time: what was told as committed is on the disk, in its order,
each generation once, and a journal that ends where it stops being intact.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mgptn.agents.learning.numbers import SUFFIX
from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.record.reading import Contents
from mgptn.experiments.record.rounds import JOURNAL, read_run, rounds_in
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.session import WEIGHTS

Digests = tuple[tuple[str, ...], ...]
"""Of every round, of every arm's population."""


class BrokenPromiseError(AssertionError):
    """Something that must hold did not: says what."""


def expect(holds: object, otherwise: str) -> None:
    """Raise if something does not hold.

    Raises
    ------
    BrokenPromiseError
        Saying what.
    """
    if not holds:
        raise BrokenPromiseError(otherwise)


def clear(error: BaseException) -> bool:
    """Is an error one that the command line tells in a line, saying where and what?"""
    ours = isinstance(error, ValueError | RuntimeError) and type(error).__module__.startswith(
        "mgptn."
    )
    of_a_file = isinstance(error, OSError) and error.filename is not None
    return (ours or of_a_file) and "\n" not in str(error) and bool(str(error))


def digests_in(contents: Contents) -> Digests:
    """What a journal holds of the populations of its rounds."""
    return tuple(
        tuple(one.generation.digest for one in done.committed) for done in rounds_in(contents)
    )


def intact(folder: Path) -> Digests:
    """The rounds that a folder's journal holds intact: none where there is none yet.

    Raises
    ------
    JournalError, ManifestError
        If its journal cannot be read at all, or is of another manifest.
    """
    if not (folder / JOURNAL).exists():
        return ()
    return digests_in(read_run(folder / JOURNAL))


def check_durable(
    folder: Path, durable: Callable[[Path], bytes | None], contents: Sequence[str]
) -> None:
    """What is told as committed: would the disk have it if power were lost now?

    Parameters
    ----------
    durable
        What would be left of a file.
    contents
        Hashes of the numbers of everybody alive.
    """
    journal = durable(folder / JOURNAL)
    expect(journal == (folder / JOURNAL).read_bytes(), "a generation is told and not on the disk")
    expect(durable(folder / MANIFEST), "a generation is told before its manifest is on the disk")
    for content in contents:
        kept = durable(folder / WEIGHTS / f"{content}{SUFFIX}")
        expect(kept, f"a generation is told whose weights {content[:8]}… are not on the disk")


def check_end(folder: Path, hashed: str) -> None:
    """What has ended: does the journal alone lead to its hash?"""
    again = replay(folder)
    expect(again.confirmed, f"replay confirms nothing: {again.differences or again.damage}")
    expect(again.recorded_hash == hashed, f"the run ended with {again.recorded_hash}")
    expect(again.bound, "the manifest is not bound")


def check_nothing_left(folder: Path, living: set[str], *, keeps_all: bool) -> None:
    """Is there nothing in a run's folder but what a run keeps?"""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        numbers = path.parent.name == WEIGHTS and path.name.endswith(SUFFIX)
        stem = path.name.removesuffix(SUFFIX)
        known = name in (JOURNAL, MANIFEST, WEIGHTS) or (
            numbers and not stem.startswith(".") and (keeps_all or stem in living)
        )
        expect(known or name.startswith(f"{JOURNAL}.damaged-"), f"{name} is left over")
