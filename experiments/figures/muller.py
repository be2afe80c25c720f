"""The Muller plot of a run: whose descendants live, and how independent that leaves the jury.

The plot is named after Muller 1932.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from itertools import cycle, groupby

import numpy as np
import polars as pl
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
)
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

BANDS = 60
"""Founders with a band of their own: of more, the others are drawn together, where they stand."""

TOGETHER = GRID
"""Of a band of several founders."""


def muller(tables: Tables, width: float = WIDE) -> Figure:
    """Share of the living that descend from each founder; below, collision and kinship.

    Both panels have one axis of generations: who lives at the start of one answers in it.
    """
    with styled():
        figure = Figure(figsize=(width, 5.4))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw_shares(upper, founder_shares(tables["agents"]), "" if width < 5 else "founder ")
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


def founder_shares(agents: pl.DataFrame) -> dict[int, list[float]]:
    """Share of the run's living agents by founder.

    Returns
    -------
    dict
        Founder → float [G + 1]: at the start of each of the G generations, and after the last
        one's selection. Founders in order of their ids; empty where there are no agents.
    """
    rows = arm_rows(agents, RUN)
    generations = rows["generation"].unique().sort().to_list()
    if not generations:
        return {}
    living = [rows.filter(pl.col("generation") == g) for g in generations]
    counts = [dict(now.group_by("founder").len().iter_rows()) for now in living]
    last = living[-1].group_by("founder").agg(pl.col("offspring").sum())
    counts.append(dict(last.iter_rows()))
    names, totals = sorted(set().union(*counts)), [max(sum(c.values()), 1) for c in counts]
    return {
        name: [count.get(name, 0) / total for count, total in zip(counts, totals, strict=True)]
        for name in names
    }


def banded(
    shares: dict[int, list[float]], most: int = BANDS
) -> list[tuple[int | None, list[float]]]:
    """Bands of a stacked plot: the founders that come to the most; neighbours among the others as
    one.

    Returns
    -------
    list
        Founder, None for several, with the band's shares; in order, and adding up as before. At
        most twice `most` and one.
    """
    by_size = sorted(shares, key=lambda f: (-shares[f][-1], -max(shares[f]), f))
    own = set(by_size[:most] if len(by_size) > most else by_size)
    bands: list[tuple[int | None, list[float]]] = []
    for several, names in groupby(shares, key=lambda name: name not in own):
        if several:
            total = np.sum([shares[name] for name in names], axis=0)
            bands.append((None, total.tolist()))
        else:
            bands += [(name, shares[name]) for name in names]
    return bands


def _draw_shares(axes: Axes, shares: dict[int, list[float]], word: str) -> None:
    """Stacked bands; founders in order, the commonest at the end in colours of their own."""
    axes.set_ylabel("share of the living, by founder")
    if not shares:
        say_undefined(axes)
        return
    x = np.arange(len(next(iter(shares.values()))))
    by_size = sorted(shares, key=lambda f: (-shares[f][-1], -max(shares[f]), f))
    bands = banded(shares)
    fills = dict(zip(by_size, FOUNDERS, strict=False))
    greys = cycle(OTHER_FOUNDERS)
    axes.stackplot(
        x,
        *[band for _, band in bands],
        colors=[TOGETHER if n is None else fills.get(n) or next(greys) for n, _ in bands],
        edgecolor=PAPER,
        linewidth=0.8,
    )
    if len(bands) < len(shares):
        axes.set_title("palest: several founders together", loc="left", fontsize=9, color=MUTED)
    _label_shares(axes, [(name, band[-1]) for name, band in bands], len(x) - 1, word)


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
