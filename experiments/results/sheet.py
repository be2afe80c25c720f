"""A table of a report: a column for each different thing, and no row that says nothing."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mgptn.experiments.results.shown import NO_SPREAD, UNDEFINED, shown

_NOTHING = {UNDEFINED, ""}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it stands in a report.

    Attributes
    ----------
    head
        What each column is of.
    rows
        A label, and a cell for each column.
    undefined, none
        Labels of the rows that were left out: those without a value in any column, and counts that
        are 0 in all of them.
    no_spread
        Does a cell say that a value has no spread?
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    undefined: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    @property
    def no_spread(self) -> bool:
        return any(NO_SPREAD in cell for _, cells in self.rows for cell in cells)


def sheet(head: Sequence[str], rows: Sequence[tuple[str, Sequence[Any]]]) -> Sheet:
    """A table without the rows and columns that say nothing; what was left out is named in it."""
    if not head:
        return Sheet((), ())
    told = [(label, cells, [str(shown(cell)) for cell in cells]) for label, cells in rows]
    kept, undefined, none = [], [], []
    for label, cells, texts in told:
        if set(texts) <= _NOTHING:
            undefined.append(label)
        elif all(isinstance(c, int) and c == 0 for c in cells if shown(c) not in _NOTHING):
            none.append(label)
        else:
            kept.append((label, texts))
    columns = [i for i in range(len(head)) if any(texts[i] not in _NOTHING for _, texts in kept)]
    return Sheet(
        tuple(head[i] for i in columns),
        tuple((label, tuple(texts[i] for i in columns)) for label, texts in kept),
        tuple(undefined),
        tuple(none),
    )
