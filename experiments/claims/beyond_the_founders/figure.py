"""The figure of founders that teach each other: sizes by generation, and how far everybody got."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    BLUE,
    DASHED,
    GREEN,
    GREY,
    MUTED,
    ORANGE,
    PINK,
    WIDE,
    Style,
    styled,
    write_figure,
)

LOOKS: dict[str, Style] = {
    "peers": {"color": BLUE, "marker": "o", "linewidth": 2.4, "zorder": 4},
    "five": {"color": BLUE, "marker": "P", "linestyle": DASHED},
    "two": {"color": BLUE, "marker": ".", "linewidth": 1.0},
    "oracle": {"color": GREEN, "marker": "v"},
    "drift": {"color": ORANGE, "marker": "D", "linestyle": DASHED},
    "replicating": {"color": ORANGE, "marker": "s"},
    "demes": {"color": ORANGE, "marker": "^", "linewidth": 1.0},
    "coin": {"color": PINK, "marker": "x"},
    "clones": {"color": GREY, "marker": "d"},
}
"""Arm → how it is drawn: peers in blue, those that are replicated in orange."""

NAMES = {
    "peers": "3 founders: what all say alike",
    "five": "5 founders",
    "two": "2 founders",
    "oracle": "3, what is right (oracle)",
    "drift": "3, replicated at random",
    "replicating": "3, replicated by agreement",
    "demes": "6 in 3 demes",
    "coin": "3, a coin at the peers' rate",
    "clones": "3 copies of one",
}


def draw_reach(finding: Finding, path: Path) -> Path:
    """Left: mean size by generation. Right: each founder set's reach, and the mean."""
    with styled():
        figure = Figure(figsize=(WIDE, 5.2))
        left, right = figure.subplots(1, 2, width_ratios=(1, 1))
        for arm, look in LOOKS.items():
            sizes = finding.curves[f"size: {arm}"]
            left.plot(range(len(sizes)), sizes, markersize=4, **look)
        left.set_xlabel("generation")
        left.set_ylabel("digits of the sums asked, mean of founder sets")
        _draw_reaches(right, finding)
        for axis in (left.xaxis, left.yaxis, right.xaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        write_figure(figure, path)
    return path


def _draw_reaches(axes: Axes, finding: Finding) -> None:
    """A row an arm: its marker for each founder set, a bar at the mean."""
    rows = [name.removeprefix("reach: ") for name in finding.curves if name.startswith("reach: ")]
    ends = []
    for place, name in enumerate(rows):
        reaches = np.array(finding.curves[f"reach: {name}"])
        look = LOOKS.get(name, {"color": MUTED, "marker": "o"})
        spread = np.linspace(-0.22, 0.22, len(reaches)) if len(reaches) > 1 else np.zeros(1)
        dots = {"color": look["color"], "marker": look["marker"], "linestyle": ""}
        axes.plot(reaches, place + spread, markersize=4, alpha=0.7, **dots)
        bar = [place - 0.38, place + 0.38]
        axes.plot([reaches.mean()] * 2, bar, color=look["color"], linewidth=2.2)
        ends += reaches.tolist()
    labels = [NAMES.get(name, name) for name in rows]
    axes.set_yticks(range(len(rows)), labels=labels, fontsize=8)
    axes.set_xlim(min(ends) - 1, max(ends) + 1)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.axhline(len(LOOKS) - 0.5, color=MUTED, linewidth=0.8)
    axes.set_xlabel("reach, in digits")
