"""What k of the founders' answers are worth, beside what a run made of as many."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from mgptn.experiments.figures.drawing import Tables, column_values, draw_line, put_legend
from mgptn.experiments.figures.style import (
    BEST_OF,
    BLUE,
    INK,
    MAJORITY,
    MUTED,
    WIDE,
    Style,
    canvas,
    styled,
)

CURVES: dict[str, Style] = {
    "vote": {**MAJORITY, "marker": "D"},
    "best by grade": {**BEST_OF, "marker": "v"},
    "best by the verifier": {"color": MUTED, "linewidth": 1.0},
}
OWN: dict[str, Style] = {
    "run: a member": {"color": BLUE, "marker": "o"},
    "run: vote": {"color": BLUE, "marker": "D"},
    "run: best by its selector": {"color": INK, "marker": "v"},
}


def asked(tables: Tables) -> bool:
    """Were founders asked as often as the run?"""
    return len(tables.get("as-many", ())) > 0


def as_many(tables: Tables, width: float = WIDE) -> Figure:
    """Errors of the founders' vote and best of k, and the run's at as many as it gave."""
    table = tables["as-many"]
    with styled():
        figure, axes = canvas(width)
        for way, style in CURVES.items():
            rows = table.filter(pl.col("way") == way).sort("k")
            x = column_values(rows, "k")
            draw_line(axes, x, column_values(rows, "error"), f"founders: {way}", style)
            low, high = column_values(rows, "low"), column_values(rows, "high")
            axes.fill_between(x, low, high, color=style["color"], alpha=0.12, lw=0)
        for place, (way, style) in enumerate(OWN.items()):
            row = table.filter(pl.col("way") == way).row(0, named=True)
            # Beside each other, so that one interval does not hide the next.
            x = [row["k"] * 1.12**place]
            draw_line(axes, x, [row["error"]], way, {**style, "linestyle": ""})
            axes.vlines(x, row["low"], row["high"], color=style["color"], linewidth=1.4)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("answers to a problem")
        axes.set_ylabel("gold error")
        axes.set_ylim(bottom=-0.02)
        put_legend(figure, *axes.get_legend_handles_labels())
        return figure
