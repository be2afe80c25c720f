"""How far a task has grown in each arm, and how often the arms' majorities err at each size."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mgptn.experiments.config.sections.task import REACHED
from mgptn.experiments.figures.drawing import (
    Tables,
    all_arms,
    column_values,
    draw_line,
    put_legend,
)
from mgptn.experiments.figures.style import BEST_OF, MUTED, WIDE, arm_style, styled, two_panels


def grows(tables: Tables) -> bool:
    """Is there a task that grows?"""
    rows = tables["generations"]
    return len(rows) > 0 and int(rows["task_size"].cast(pl.Int64).max() or 0) > 0  # type: ignore[arg-type]


def reach(tables: Tables, width: float = WIDE) -> Figure:
    """Sizes by generation, and the error of the majority vote by size, of every arm."""
    with styled():
        figure, left, right = two_panels(width)
        for arm, rows in all_arms(tables):
            x, sizes = column_values(rows, "generation"), column_values(rows, "task_size")
            if arm != "unselected":  # which is asked a size more in each generation, whatever it is
                draw_line(left, x, sizes, arm, {**arm_style(arm), "drawstyle": "steps-mid"})
            by_size = rows.group_by("task_size").agg(pl.all().last()).sort("task_size")
            sizes = column_values(by_size, "task_size")
            errors = column_values(by_size, "majority_error")
            draw_line(right, sizes, errors, arm, {**arm_style(arm), "clip_on": False})
            if arm == "unselected":
                best = column_values(by_size, "best_of_n_error")
                label = f"unselected: best of {int(rows['agents'][0])}"
                draw_line(right, sizes, best, label, {**BEST_OF, "clip_on": False})
        right.axhline(REACHED, color=MUTED, linewidth=1)
        left.set_ylabel("size of the task")
        left.set_xlabel("generation")
        right.set_ylabel("error of the majority vote")
        right.set_xlabel("size of the task")
        right.set_ylim(0, 1)
        right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        for axes in (left.xaxis, left.yaxis, right.xaxis):
            axes.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        put_legend(figure, *right.get_legend_handles_labels())
        return figure
