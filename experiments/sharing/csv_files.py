"""The tables of a run as CSV files, a generation at a time, with their columns explained beside."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import polars as pl

from mgptn.experiments.sharing.card import CARD, write_card
from mgptn.experiments.sharing.shared_tables import SHARED, shared_frames
from mgptn.experiments.sharing.source import Source

FORMULA = r"^[=+\-@\t\r]"
"""What a cell begins with that a spreadsheet takes for a formula."""

READING = """UTF-8, with a line of names. Texts and truths are always in quotes, with line \
breaks as they are; an empty cell without quotes is null.

Texts stand here exactly as they were said: cells that begin with `=`, `+`, `-` or `@`, as a \
negative number does, are {count}. A program reads them right; a spreadsheet may compute them: \
import the columns as text.
"""


def write_csv(source: Source, folder: Path) -> str:
    """Write the tables of a run as ``<name>.csv``, with a README; a sentence about it."""
    rows, formulas = dict.fromkeys(SHARED, 0), 0
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.csv").open("wb")) for name in SHARED}
        for done in source.rounds():
            for name, frame in shared_frames(done).items():
                flat = _flat(frame)
                formulas += _formulas(flat)
                begun = files[name].tell() > 0
                flat.write_csv(files[name], include_header=not begun, quote_style="non_numeric")
                rows[name] += len(frame)
    for name, count in rows.items():
        if not count:
            (folder / f"{name}.csv").unlink()
    there = {name: count for name, count in rows.items() if count}
    write_card(folder, source, there)
    with (folder / CARD).open("a", encoding="utf-8") as card:
        card.write(f"\n## Reading the files\n\n{READING.format(count=formulas)}")
    warned = f"; {formulas} cells begin as formulas do, see {CARD}" if formulas else ""
    return f"{', '.join(there)} as CSV{warned}"


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame without lists: their members stand in one text, with semicolons between them."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.with_columns(pl.col(name).list.join("; ") for name in lists)


def _formulas(frame: pl.DataFrame) -> int:
    """Cells of a frame that a spreadsheet takes for formulas."""
    texts = frame.select(pl.col(pl.String).str.contains(FORMULA).sum())
    return sum(texts.row(0)) if texts.width else 0
