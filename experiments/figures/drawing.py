"""What figures of runs share: rows of an arm, lines over what is known, legends."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mgptn.experiments.config.arms import AS_MANY
from mgptn.experiments.figures.founders import RUN as RUN
from mgptn.experiments.figures.style import MUTED, Style

Tables: TypeAlias = Mapping[str, pl.DataFrame]
Values: TypeAlias = Sequence[float]


MOST = 60
"""Marks on a line, and bars beside each other: of more, no eye tells one from the next."""


def step(points: int, most: int = MOST) -> int:
    """Every how many of some points are shown, so that there are at most so many."""
    return max(1, -(-points // most))


def put_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """One legend under all panels, in one column where the figure is narrow; none of nothing."""
    if not handles:
        return
    narrow = figure.get_size_inches()[0] < 5
    columns = 1 if narrow else min(len(handles), 3)
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    if narrow:
        extra = 0.21 * max(len(handles) - 1, 0)
        figure.set_size_inches(*(figure.get_size_inches() + np.array([0.0, extra])))


def say_undefined(axes: Axes) -> None:
    axes.text(0.5, 0.5, "undefined", transform=axes.transAxes, ha="center", color=MUTED)


def draw_line(axes: Axes, x: Values, y: Values, label: str, style: Style) -> None:
    """A line over what is finite; nothing, and no legend entry, where nothing is."""
    values = np.where(np.isfinite(y), y, np.nan) if len(y) else np.array([])
    if np.isfinite(values).any():
        marks: Style = {"markevery": step(len(values))} if "marker" in style else {}
        axes.plot(x, values, label=label, **style, **marks)


def arm_rows(table: pl.DataFrame, arm: str) -> pl.DataFrame:
    return table.filter(pl.col("arm") == arm).sort("generation")


def all_arms(tables: Tables) -> list[tuple[str, pl.DataFrame]]:
    """Every arm that is asked the same in every generation, with its rows."""
    table = tables["generations"]
    names = table["arm"].unique(maintain_order=True).to_list()
    return [(name, arm_rows(table, name)) for name in names if name != AS_MANY]


def column_values(rows: pl.DataFrame, column: str) -> list[float]:
    return rows[column].cast(pl.Float64).fill_null(float("nan")).to_list()
