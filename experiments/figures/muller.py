"""The Muller plot of a run: whose descendants live, and how independent that leaves the jury.

The plot is named after Muller 1932.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mgptn.experiments.figures.drawing import (
    RUN,
    Tables,
    arm_rows,
    column_values,
    draw_line,
    put_legend,
    say_undefined,
    step,
)
from mgptn.experiments.figures.founders import banded, by_size, founder_counts, founder_shares
from mgptn.experiments.figures.style import (
    BLUE,
    FOUNDERS,
    GRID,
    MUTED,
    ORANGE,
    OTHER_FOUNDERS,
    PAPER,
    PREDICTED,
    WIDE,
    styled,
)
from mgptn.population.records.arrays import Floats

COLUMNS = 120
"""Generations at which bands have corners: of more, every so many, and the last."""

TOGETHER = GRID
"""Of a band of several founders."""


def muller(tables: Tables, width: float = WIDE) -> Figure:
    """Share of the living that descend from each founder; below, collision and kinship.

    The founders are counted already (``"founders"``), or among ``"agents"``.

    Both panels have one axis of generations: who lives at the start of one answers in it.
    """
    with styled():
        figure = Figure(figsize=(width, 5.4))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        counts = tables["founders"] if "founders" in tables else founder_counts(tables["agents"])
        _draw_shares(upper, founder_shares(counts), "" if width < 5 else "founder ")
        rows = arm_rows(tables["generations"], RUN)
        x = column_values(rows, "generation")
        for column, label, style in (
            ("collision", "both wrong: same answer", {"color": ORANGE, "marker": "s"}),
            ("identity_by_descent", "same founder", {"color": BLUE, "marker": "o"}),
            ("identity_expected", "same founder, expected", PREDICTED),
        ):
            draw_line(lower, x, column_values(rows, column), label, {**style, "clip_on": False})
        if not lower.get_lines():
            say_undefined(lower)
        lower.set_ylabel("share of pairs" if width < 5 else "share of pairs of agents")
        for axes in (upper, lower):
            axes.set_ylim(0, 1)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.margins(x=0)
        upper.grid(False)
        lower.grid(False, axis="x")
        if width < 5:
            lower.set_xlabel("start of generation; last: after the end")
        else:
            lower.set_xlabel(
                "generation, at its start; the last column is after the last selection"
            )
        put_legend(figure, *lower.get_legend_handles_labels())
        return figure


def _draw_shares(axes: Axes, shares: Mapping[int, Floats], word: str) -> None:
    """Stacked bands; founders in order, the commonest at the end in colours of their own."""
    axes.set_ylabel("share of the living, by founder")
    if not shares:
        say_undefined(axes)
        return
    x = np.arange(len(next(iter(shares.values()))))
    times = np.unique(np.append(x[:: step(len(x), COLUMNS)], x[-1]))
    bands = banded(shares)
    fills = dict(zip(by_size(shares), FOUNDERS, strict=False))
    greys = cycle(OTHER_FOUNDERS)
    axes.stackplot(
        times,
        *[band[times] for _, band in bands],
        colors=[TOGETHER if n is None else fills.get(n) or next(greys) for n, _ in bands],
        edgecolor=PAPER,
        linewidth=0.8,
    )
    if len(bands) < len(shares):
        axes.set_title("palest: several founders together", loc="left", fontsize=9, color=MUTED)
    _label_shares(axes, [(name, float(band[-1])) for name, band in bands], len(x) - 1, word)


def _label_shares(axes: Axes, shares: list[tuple[int | None, float]], x: int, word: str) -> None:
    """Names the founders that are left, at the right edge, the tall bands only."""
    base = 0.0
    for name, share in shares:
        if name is not None and share >= 0.045:
            axes.annotate(
                f"{word}{name}",
                (x, base + share / 2),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
            )
        base += share
