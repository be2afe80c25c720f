"""The live table: a line a generation, as each is committed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.views.caveats import hardly_said
from mgptn.experiments.views.measured import MeasuredRound
from mgptn.experiments.views.printable import on_terminal
from mgptn.population.measures.generation_measures import Measures


@dataclass(frozen=True, slots=True)
class Shown:
    """A round as a line tells it: measures of the run itself, answers a second, seconds left."""

    measures: Measures
    rate: float
    left: float


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    rank
        Of its importance, 0 the first: what a narrow terminal keeps.
    """

    head: str
    width: int
    rank: int
    cell: Callable[[Shown], str]


def columns_within(width: int | None) -> tuple[Column, ...]:
    """The columns that so many characters have room for, the most important ones; None for all.

    A generation whose task has grown is said with its size, as 4@9. TPR, FPR and J are the
    selector's; AUC is of one grade, `worth` is how many independent graders those of an answer are
    worth, and `cut off` the share of answers that reached their maximum length.
    """
    kept, used = set(), 0
    for column in sorted(COLUMNS, key=lambda column: column.rank):
        used += column.width + GAP
        if width is not None and used > width:
            break
        kept.add(column.head)
    return tuple(column for column in COLUMNS if column.head in kept)


class LiveTable:
    """Shows rounds on a console: redrawn in place on a terminal, line by line elsewhere.

    A terminal shows as many columns as it is wide; elsewhere all are said. The first round whose
    grades are hardly the graders' word is told at once.

    Parameters
    ----------
    generations
        Of the whole run, for the time left.
    """

    def __init__(self, console: Console, title: str, generations: int) -> None:
        self._console = console
        self._title = on_terminal(title)
        self._generations = generations
        self._rows: list[Shown] = []
        self._warned = False
        self._live: Live | None = None
        self._seconds: list[float] = []
        self._last = time.perf_counter()

    def __enter__(self) -> Self:
        self._last = time.perf_counter()
        if self._console.is_terminal:
            self._live = Live(self._table(), console=self._console, auto_refresh=False)
            self._live.start(refresh=True)
        else:
            self._print(self._title)
            self._print(_line([column.head for column in COLUMNS]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def add(self, done: MeasuredRound) -> None:
        """Show one committed round, timed since the one before."""
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        self._seconds.append(seconds)
        left = sum(self._seconds) / len(self._seconds) * (self._generations - done.index - 1)
        measures = done.measures[SELECTED]
        answers = sum(one.answers for one in done.measures.values())
        self._rows.append(Shown(measures, answers / seconds, left))
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
        else:
            self._print(_line([column.cell(self._rows[-1]) for column in COLUMNS]))
        for fault in done.faults:
            self._print(fault)
        for warning in hardly_said(measures) if not self._warned else ():
            self._print(warning)  # on a terminal, above the table
            self._warned = True

    def _print(self, line: str) -> None:
        self._console.print(on_terminal(line), highlight=False, markup=False, soft_wrap=True)

    def _table(self) -> Table:
        """The table as wide as the terminal is now, which a person may have changed."""
        shown = columns_within(self._console.width)
        table = Table(
            title=self._title,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_edge=False,
        )
        for column in shown:
            table.add_column(column.head, justify="right", no_wrap=True, min_width=column.width)
        for row in self._rows:
            table.add_row(*(column.cell(row) for column in shown))
        return table


def _line(cells: list[str]) -> str:
    """Cells of every column as a line of text."""
    return "  ".join(cell.rjust(column.width) for cell, column in zip(cells, COLUMNS, strict=True))


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _generation(row: Shown) -> str:
    m = row.measures
    return f"{m.generation}@{m.task_size}" if m.task_size else str(m.generation)


def _error(row: Shown) -> str:
    m = row.measures
    return f"{m.gold_error:.3f} [{m.gold_error_low:.2f}, {m.gold_error_high:.2f}]"


GAP = 2
"""Characters between two columns."""

COLUMNS = (
    Column("gen", 5, 0, _generation),
    Column("fitness", 7, 2, lambda row: _number(row.measures.fitness_mean)),
    Column("best", 6, 8, lambda row: _number(row.measures.fitness_max)),
    Column("gold error [95 %]", 18, 1, _error),
    Column("TPR", 5, 10, lambda row: _number(row.measures.tpr, 2)),
    Column("FPR", 5, 11, lambda row: _number(row.measures.fpr, 2)),
    Column("J", 6, 3, lambda row: _number(row.measures.youden_j, 2)),
    Column("AUC", 5, 7, lambda row: _number(row.measures.grader_auc, 2)),
    Column("worth", 5, 9, lambda row: _number(row.measures.effective_graders, 1)),
    Column("lineages", 8, 5, lambda row: str(row.measures.lineages)),
    Column(
        "cut off",
        7,
        12,
        lambda row: _number(row.measures.truncated_answers / max(1, row.measures.answers), 2),
    ),
    Column("answers/s", 9, 6, lambda row: f"{row.rate:.0f}"),
    Column("time left", 9, 4, lambda row: _duration(row.left)),
)
"""In the order in which they stand."""
