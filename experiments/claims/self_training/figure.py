"""The figure of self-training: errors and distinct answers by generation, an arm a line."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    BLUE,
    DASHED,
    GREEN,
    GREY,
    INK,
    MUTED,
    ORANGE,
    PINK,
    WIDE,
    Style,
    styled,
    write_figure,
)

LOOKS: dict[str, tuple[str, Style]] = {
    "none": ("no filter", {"color": ORANGE, "marker": "s"}),
    "none-accumulated": ("no filter, accumulated", {"color": ORANGE, "linestyle": DASHED}),
    "majority": ("majority's", {"color": BLUE, "marker": "o", "linewidth": 2.4, "zorder": 4}),
    "peers": ("peers'", {"color": INK, "marker": "P"}),
    "coin": ("a coin's", {"color": PINK, "marker": "x"}),
    "oracle": ("oracle's", {"color": GREEN, "marker": "v"}),
    "sampled": ("founders", {"color": GREY}),
    "likeliest": ("founders' likeliest", {"color": MUTED, "linestyle": DASHED}),
}


def draw_training(finding: Finding, path: Path) -> Path:
    """Left: members' mean error by generation. Right: distinct answers of the members."""
    with styled():
        figure = Figure(figsize=(WIDE, 4.6))
        left, right = figure.subplots(1, 2)
        for axes, part in ((left, "error"), (right, "distinct")):
            for arm, (name, look) in LOOKS.items():
                values = finding.curves[f"{part}: {arm}"]
                axes.plot(range(len(values)), values, markersize=3.5, label=name, **look)
            axes.set_xlabel("generation")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set_ylabel("error, mean of the members")
        right.set_ylabel("distinct answers of three members")
        left.set_ylim(0.0, 1.0)
        lines, names = left.get_legend_handles_labels()
        figure.legend(lines, names, loc="outside lower center", ncols=3, fontsize=8.5)
        write_figure(figure, path)
    return path
