"""The runs in some folders as a table: how far each is, without reading what it holds."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.table import Table

from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.views.printable import on_terminal
from mgptn.experiments.watching.finding import Found, look_at, run_folders

UNITS = ("B", "kB", "MB", "GB", "TB")


def runs_table(folders: Sequence[Path]) -> Table:
    """A row for each run, by name.

    Raises
    ------
    mgptn.experiments.watching.finding.WatchError
        If a folder is none, or holds no run.
    """
    table = Table(box=None, pad_edge=False)
    for head in ("run", "generations", "state", "last written", "journal"):
        right = head in ("generations", "journal")
        table.add_column(head, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for folder, name in run_folders(folders):
        table.add_row(*_row(look_at(folder, name)))
    return table


def _row(found: Found) -> tuple[str, ...]:
    """A run's cells; what follows from its folder alone."""
    journal = found.folder / JOURNAL
    size = journal.stat().st_size if journal.exists() else 0
    written = found.changed if journal.exists() else (found.folder / MANIFEST).stat().st_mtime
    return (
        on_terminal(found.name),
        f"{found.done} of {found.planned or '?'}",
        "ended" if found.ended else "not ended" if found.done else "not begun",
        datetime.fromtimestamp(written).astimezone().strftime("%Y-%m-%d %H:%M"),
        _size(size),
    )


def _size(bytes_: float) -> str:
    """``3.4 MB``."""
    for unit in UNITS[:-1]:
        if bytes_ < 1000:
            return f"{bytes_:.0f} {unit}" if unit == "B" else f"{bytes_:.1f} {unit}"
        bytes_ /= 1000
    return f"{bytes_:.1f} {UNITS[-1]}"
