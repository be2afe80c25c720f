"""The figure of imitation then selection: errors and what the writing tells, by generation."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    BLUE,
    DASHED,
    DOTTED,
    GREY,
    MUTED,
    ORANGE,
    WIDE,
    Style,
    styled,
    write_figure,
)

LOOKS: dict[str, tuple[str, Style]] = {
    "imitation": ("imitation, then verdicts", {"color": BLUE, "marker": "o", "linewidth": 2.4}),
    "imitation-peers": ("imitation, then peers", {"color": BLUE, "linestyle": DASHED}),
    "imitation-coin": ("imitation, then a coin", {"color": BLUE, "linestyle": DOTTED}),
    "alone": ("verdicts alone", {"color": ORANGE, "marker": "s", "linewidth": 2.4}),
    "alone-peers": ("peers alone", {"color": ORANGE, "linestyle": DASHED}),
    "alone-coin": ("a coin alone", {"color": ORANGE, "linestyle": DOTTED}),
    "imitation-likeliest": ("imitators' likeliest", {"color": MUTED}),
    "alone-likeliest": ("scribblers' likeliest", {"color": GREY, "linestyle": DASHED}),
}
PANELS = {
    "error": "error",
    "told": "answers told to a reader",
    "valid": "valid steps of the writing",
}


def draw_writing(finding: Finding, path: Path) -> Path:
    """A panel a measure, an arm a line, by generation."""
    with styled():
        figure = Figure(figsize=(1.5 * WIDE, 4.4))
        panels = figure.subplots(1, len(PANELS))
        for axes, (part, told) in zip(panels, PANELS.items(), strict=True):
            for arm, (name, look) in LOOKS.items():
                of = finding.curves[f"generations: {arm}"], finding.curves[f"{part}: {arm}"]
                axes.plot(*of, markersize=3.5, label=name, **look)
            axes.set_xlabel("generation")
            axes.set_ylabel(told)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylim(-0.05, 1.03)
        lines, names = panels[0].get_legend_handles_labels()
        figure.legend(lines, names, loc="outside lower center", ncols=4, fontsize=8.5)
        write_figure(figure, path)
    return path
