"""The figure of a comparison of ways to grade: how often an answer is right, by its grade."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from mgptn.experiments.figures.style import (
    ARM_STYLES,
    MUTED,
    REFERENCE,
    WIDE,
    styled,
    write_figure,
)

COLUMNS = 4


def draw_reliability(curve: pl.DataFrame, table: pl.DataFrame, path: Path) -> Path:
    """A panel a way: share of right answers against grade, areas of dots by how many grades."""
    ways = table["way"].to_list()
    rows = -(-len(ways) // COLUMNS)
    with styled():
        figure = Figure(figsize=(WIDE, 2.1 * rows + 0.4))
        grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
        panels = [axes for row in grid for axes in row]
        for axes, way in zip(panels, ways, strict=False):
            points = curve.filter(pl.col("way") == way)
            grades, right = points["grade"].to_numpy(), points["right"].to_numpy()
            bars = [right - points["low"].to_numpy(), points["high"].to_numpy() - right]
            colour = ARM_STYLES["selected"]["color"]
            axes.plot([0, 1], [0, 1], **REFERENCE)
            axes.errorbar(grades, right, yerr=bars, fmt="none", ecolor=colour, elinewidth=1.2)
            share = points["grades"].to_numpy() / points["grades"].sum()
            axes.scatter(grades, right, s=14 + 160 * share, color=colour, zorder=3)
            area = table.filter(pl.col("way") == way)["auc"][0]
            said = "no grade was read" if math.isnan(area) else f"AUC {area:.2f}"
            axes.set_title(way)
            axes.text(1, 0, said, ha="right", va="bottom", color=MUTED, fontsize=9)
        for axes in panels[len(ways) :]:
            axes.set_visible(False)
        figure.supxlabel("grade", color=MUTED, fontsize=10)
        figure.supylabel("share of right answers", color=MUTED, fontsize=10)
        panels[0].set_xlim(-0.04, 1.04)
        panels[0].set_ylim(-0.04, 1.04)
        write_figure(figure, path)
    return path
