"""What a card's figures are made of: rows of points with intervals, panels of tasks, one legend."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mgptn.experiments.cards.card import Card
from mgptn.experiments.cards.parts import Estimate
from mgptn.experiments.figures.style import INK, WIDE

COLUMNS = 3


def points(
    axes: Axes,
    x: Sequence[float] | np.ndarray,
    estimates: Sequence[Estimate],
    label: str,
    **style: Any,
) -> None:
    """Estimates against x, with their intervals; undefined ones are in the legend only."""
    known = [(at, e) for at, e in zip(x, estimates, strict=True) if e.value is not None]
    if not known:
        axes.plot([], [], label=label, **{"linestyle": "none", **style})
        return
    values = np.array([e.value for _, e in known], dtype=np.float64)
    low = np.array([v if e.low is None else e.low for v, (_, e) in zip(values, known, strict=True)])
    high = np.array(
        [v if e.high is None else e.high for v, (_, e) in zip(values, known, strict=True)]
    )
    axes.errorbar(
        [at for at, _ in known],
        values,
        yerr=np.maximum([values - low, high - values], 0.0),
        label=label,
        elinewidth=1.2,
        **{"linestyle": "none", **style},
    )


def aside(place: int, of: int, width: float = 0.5) -> float:
    """How far to the side the series at a place stands, so that none hides another."""
    return width * ((place + 0.5) / of - 0.5)


def task_axis(axes: Axes, card: Card) -> np.ndarray:
    """Tasks along the horizontal axis; their places, float64 [tasks]."""
    places = np.arange(len(card.tasks), dtype=np.float64)
    axes.set_xticks(places, labels=list(card.tasks), rotation=30, ha="right")
    axes.set_xlim(-0.6, len(card.tasks) - 0.4)
    return places


def called(card: Card) -> str:
    """The model's name; of a folder elsewhere, its own name."""
    name = card.provenance.model
    return Path(name).name if Path(name).is_absolute() else name


def wide(height: float = 4.2) -> tuple[Figure, Axes]:
    """One canvas."""
    figure = Figure(figsize=(1.35 * WIDE, height))
    return figure, figure.subplots()


def panels(card: Card, height: float = 2.3) -> tuple[Figure, list[Axes]]:
    """A panel for each task, titled with its name, that share their axes."""
    count = len(card.tasks)
    columns = min(COLUMNS, count)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(1.35 * WIDE, height * rows + 1.0))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel().tolist()
    for axes, name in zip(grid, card.tasks, strict=False):
        axes.set_title(name)
    for axes in grid[count:]:
        axes.set_visible(False)
    return figure, grid[:count]


def label_panels(figure: Figure, grid: list[Axes], x: str, y: str) -> None:
    """The one name of the horizontal axes, under the lowest of them, and of the vertical ones."""
    columns = min(COLUMNS, len(grid))
    for axes in grid[-columns:]:
        axes.tick_params(labelbottom=True)
    grid[-(columns // 2) - 1].set_xlabel(x)
    figure.supylabel(y, fontsize=10)


def finish(figure: Figure, axes: Axes, title: str, columns: int = 3) -> Figure:
    """A title, and one legend below."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11.5, fontweight="bold", color=INK)
    return figure
