"""How figures look: colours and dashes that tell apart without colour vision, and canvases."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mgptn.agents.files import write_whole
from mgptn.experiments.figures.ticks import write_ticks_plainly

Style: TypeAlias = dict[str, Any]

WIDE = 7.2
NARROW = 3.8
"""Widths of a figure, in inches of 100 pixels."""

INK, MUTED, GRID, PAPER = "#1b1f24", "#5c6570", "#dfe3e8", "#ffffff"
BLUE, ORANGE, PINK = "#0072b2", "#d98200", "#c0609a"
GREY, GREEN = "#76808c", "#00805e"
DASHED, DOTTED = (0, (5, 2)), (0, (1, 1.6))

ARM_STYLES: dict[str, Style] = {
    "selected": {"color": BLUE, "marker": "o", "linewidth": 2.4, "zorder": 4},
    "neutral-drift": {"color": ORANGE, "marker": "s"},
    "random-selector": {"color": PINK, "marker": "^"},
    "unselected": {"color": GREY, "marker": "D"},
    "shuffled-grades": {"color": PINK, "marker": "^"},
    "clones": {"color": ORANGE, "marker": "s"},
    "oracle": {"color": GREEN, "marker": "v"},
    "greedy": {"color": GREY, "marker": "P"},
}
"""Arm → how its line is drawn, in every figure."""

BEST_OF: Style = {"color": GREEN, "linestyle": DASHED}
MAJORITY: Style = {"color": GREY, "linestyle": DASHED}
PREDICTED: Style = {"color": INK, "linestyle": DOTTED, "linewidth": 2.0, "zorder": 5}
REFERENCE: Style = {"color": MUTED, "linestyle": (0, (5, 3)), "linewidth": 1.0}
_OTHER_ARM: Style = {"color": GREEN, "marker": "v"}

FOUNDERS = ("#0b6fb0", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#4b3f72")
"""Fills of the founders that are named; the others are grey."""
OTHER_FOUNDERS = ("#b4bac2", "#cdd2d8")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

DARK: dict[str, str] = {
    INK: "#e6e9ed",
    MUTED: "#a2abb6",
    GRID: "#343a42",
    PAPER: "#16191d",
    BLUE: "#4db2ef",
    ORANGE: "#f0a83a",
    PINK: "#e38fc1",
    GREY: "#98a2ae",
    GREEN: "#2fbf97",
}
"""Light colour → what stands for it on a dark page."""

_STYLE: Style = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.7,
    "lines.markersize": 5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.fonttype": "none",
    "text.parse_math": False,  # names of models are anybody's
    "svg.hashsalt": "mgptn",
}


def theme_css() -> str:
    """Style rules that give `inline_svg` its colours, on a light and on a dark page."""
    light = "".join(f"{variable(colour)}:{colour};" for colour in DARK)
    dark = "".join(f"{variable(colour)}:{other};" for colour, other in DARK.items())
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


def variable(colour: str) -> str:
    return f"--c{colour[1:]}"


def styled() -> Any:
    return matplotlib.style.context(["default", _STYLE])


def canvas(width: float, height: float = 3.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots()


def two_panels(width: float) -> tuple[Figure, Axes, Axes]:
    if width < 5:
        figure = Figure(figsize=(width, 6.0))
        first, second = figure.subplots(2, 1)
    else:
        figure = Figure(figsize=(width, 3.6))
        first, second = figure.subplots(1, 2)
    return figure, first, second


def write_figure(figure: Figure, path: Path, dots: int = 144) -> None:
    """Write a figure whole, on white, PNG or SVG by the path's ending; equal ones to equal bytes.

    Parameters
    ----------
    dots
        An inch, of a PNG.
    """
    form = path.suffix[1:]
    # A date would make equal figures differ.
    extra: Style = {"metadata": {"Date": None}} if form == "svg" else {"dpi": dots}
    laid_out(figure, form, dots)
    write_whole(path, partial(figure.savefig, format=form, facecolor=PAPER, **extra))


def laid_out(figure: Figure, form: str, dots: int = 100) -> None:
    """Find a figure's layout, once: an engine of its own would be asked twice as it is saved."""
    write_ticks_plainly(figure)
    if form == "png":
        figure.set_dpi(dots)
        FigureCanvasAgg(figure)
    else:
        FigureCanvasSVG(figure)
    ConstrainedLayoutEngine().execute(figure)


def look(place: int) -> Style:
    """Colour and marker of the series at a place."""
    return {"color": FOUNDERS[place % len(FOUNDERS)], "marker": MARKERS[place % len(MARKERS)]}


def arm_style(arm: str) -> Style:
    return ARM_STYLES.get(arm, _OTHER_ARM)
