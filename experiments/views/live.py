"""The live table: a line a generation, as each is committed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.views.measured import MeasuredRound
from mgptn.experiments.views.printable import on_terminal
from mgptn.experiments.views.verdict import hardly_said

COLUMNS: tuple[str, ...] = (
    *("gen", "fitness", "best", "gold error [95 %]", "TPR", "FPR", "J"),
    *("AUC", "worth", "lineages", "cut off", "answers/s", "time left"),
)
"""A generation whose task has grown is said with its size, as 4@9. TPR, FPR and J are the
selector's; AUC is of one grade, `worth` is how many independent graders those of an answer are
worth, and `cut off` the share of answers that reached their maximum length."""
WIDTHS = (5, 7, 6, 18, 5, 5, 6, 5, 5, 8, 7, 9, 9)


class LiveTable:
    """Shows rounds on a console: redrawn in place on a terminal, line by line elsewhere.

    The first round whose grades are hardly the graders' word is told at once.

    Parameters
    ----------
    generations
        Of the whole run, for the time left.
    """

    def __init__(self, console: Console, title: str, generations: int) -> None:
        self._console = console
        self._title = on_terminal(title)
        self._generations = generations
        self._rows: list[tuple[str, ...]] = []
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
            self._print("  ".join(c.rjust(w) for c, w in zip(COLUMNS, WIDTHS, strict=True)))
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
        m = done.measures[SELECTED]
        answers = sum(measures.answers for measures in done.measures.values())
        row = (
            f"{done.index}@{m.task_size}" if m.task_size else str(done.index),
            _number(m.fitness_mean),
            _number(m.fitness_max),
            f"{m.gold_error:.3f} [{m.gold_error_low:.2f}, {m.gold_error_high:.2f}]",
            _number(m.tpr, 2),
            _number(m.fpr, 2),
            _number(m.youden_j, 2),
            _number(m.grader_auc, 2),
            _number(m.effective_graders, 1),
            str(m.lineages),
            _number(m.truncated_answers / max(1, m.answers), 2),
            f"{answers / seconds:.0f}",
            _duration(left),
        )
        self._rows.append(row)
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
        else:
            self._print("  ".join(cell.rjust(w) for cell, w in zip(row, WIDTHS, strict=True)))
        for fault in done.faults:
            self._print(fault)
        for warning in hardly_said(m) if not self._warned else ():
            self._print(warning)  # on a terminal, above the table
            self._warned = True

    def _print(self, line: str) -> None:
        self._console.print(on_terminal(line), highlight=False, markup=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(title=self._title, title_justify="left")
        for column in COLUMNS:
            table.add_column(column, justify="right", no_wrap=True)
        for row in self._rows:
            table.add_row(*row)
        return table


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
