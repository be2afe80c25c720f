"""Which runs there are in some folders, and how far each is, without reading what they hold."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.record.reading import LINK_BYTES, MAGIC, unpack
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.views.planned import PLANNED, read_planned

DEPTH = 3
"""Folders below a named one in which runs are looked for: a sweep's cells, an experiment's arms."""

MOST = 2_000
"""Runs that are listed; the rest are counted."""

LONGEST_END = 4_096
"""Bytes of a record that may be that of a run's end."""

_LENGTH_BYTES = 4


class WatchError(ValueError):
    """Folders that cannot be watched: names the folder, what was expected, what was got."""


@dataclass(frozen=True, slots=True)
class Found:
    """A run as its folder tells it.

    Attributes
    ----------
    name
        Its folder, from the named one on.
    done, planned
        Generations committed, and of the whole run; `planned` is 0 where nothing says so.
    ended
        Has it ended?
    changed, begun
        When its journal was last written, and when the run was begun, in seconds since 1970; NaN
        where there is none yet.
    """

    folder: Path
    name: str
    done: int
    planned: int
    ended: bool
    changed: float
    begun: float = float("nan")

    def to_plain(self) -> dict[str, Any]:
        """For the page."""
        return {
            "name": self.name,
            "done": self.done,
            "planned": self.planned,
            "ended": self.ended,
            "changed": self.changed if self.changed == self.changed else None,
        }


def run_folders(folders: Sequence[Path]) -> list[tuple[Path, str]]:
    """The folders of runs in some folders, each with the name it is listed by, in order.

    Raises
    ------
    WatchError
        If one of the folders is none, or holds no run.
    """
    found: dict[Path, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise WatchError(f"{folder}: expected the folder of a run, or one that holds runs")
        inside = list(_inside(folder, DEPTH))
        if not inside:
            raise WatchError(
                f"{folder}: expected a run (a folder with {MANIFEST}), or one in it up to {DEPTH} "
                "folders down, got none"
            )
        for path in inside:
            name = folder.name if path == folder else str(path.relative_to(folder))
            found.setdefault(path.resolve(), name or str(path))
    return list(found.items())


def look_at(folder: Path, name: str) -> Found:
    """How far a run is: its journal's frames are stepped over, and not read."""
    planned = _planned(folder)
    try:
        begun = (folder / MANIFEST).stat().st_mtime
        done, ended, changed = _stepped(folder / JOURNAL)
    except OSError:
        return Found(folder, name, 0, planned, False, float("nan"))
    return Found(folder, name, done, planned, ended, changed, begun)


def unbegun(folders: Sequence[Path], begun: Collection[Path]) -> list[tuple[str, int]]:
    """Of the grids in some folders, cells that are still to begin: name, generations planned."""
    found = []
    for folder in folders:
        for grid in [folder, *(path.parent for path in folder.glob(f"*/{PLANNED}"))]:
            below = "" if grid == folder else f"{grid.relative_to(folder)}/"
            for name, generations in read_planned(grid).items():
                if (grid / name).resolve() not in begun:
                    found.append((f"{below}{name}", generations))
    return found


def seconds_left(runs: Sequence[Found], planned: int) -> float | None:
    """Until so many generations are there, at the pace of all runs since the first was begun."""
    written = [run for run in runs if run.done]
    done = sum(run.done for run in written)
    if not written or done >= planned:
        return None
    took = max(run.changed for run in written) - min(run.begun for run in written)
    return took * (planned - done) / done


def _inside(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / MANIFEST).is_file():
        yield folder
        return
    if not depth:
        return
    try:
        below = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return
    for path in below:
        yield from _inside(Path(path), depth - 1)


def _planned(folder: Path) -> int:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return int(manifest["config"]["population"]["generations"])
    except (OSError, ValueError, LookupError, TypeError):
        return 0


def _stepped(path: Path) -> tuple[int, bool, float]:
    """Generations in a journal, whether it has ended, and when it was written."""
    size, done, ended = os.stat(path).st_size, 0, False
    with path.open("rb") as file:
        offset = len(MAGIC)
        while offset + _LENGTH_BYTES <= size:
            file.seek(offset)
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            end = offset + _LENGTH_BYTES + length + LINK_BYTES
            if end > size:
                break
            kind = _kind(file.read(min(length, LONGEST_END)), length)
            done += kind == "generation"
            ended = ended or kind == "end"
            offset = end
        return done, ended, os.fstat(file.fileno()).st_mtime


def _kind(begun: bytes, length: int) -> str:
    """A record's kind: of a short one as it says, of a long one by its first bytes."""
    if length <= LONGEST_END:
        record = unpack(begun)
        return str(record.get("kind")) if isinstance(record, dict) else ""
    return "generation" if b"generation" in begun[:64] else ""
