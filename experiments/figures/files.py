"""A run's figures in the report's order, as PNG files or as SVG for a page."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from mgptn.experiments.figures.as_many import as_many, asked
from mgptn.experiments.figures.drawing import Tables
from mgptn.experiments.figures.graders import reliability
from mgptn.experiments.figures.muller import muller
from mgptn.experiments.figures.reach import grows, reach
from mgptn.experiments.figures.run import (
    diversity,
    error,
    fitness,
    price,
    selector,
)
from mgptn.experiments.figures.style import (
    DARK,
    INK,
    WIDE,
    laid_out,
    styled,
    variable,
    write_figure,
)


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure of the report: how it is drawn, its title, and what to look for in it."""

    draw: Callable[[Tables, float], Figure]
    title: str
    caption: str
    has: Callable[[Tables], bool] = lambda tables: True
    """Do these tables have anything for it to show?"""


FIGURES: dict[str, Plot] = {
    "reach": Plot(
        reach,
        "How far the task has grown, and who keeps up",
        "Look for a run that goes on to sizes where nobody among the founders is right any more, "
        "and whose controls stay behind: chance acceptance at the same rate, and copies of one "
        "founder, who agree on everything.",
        has=grows,
    ),
    "error": Plot(
        error,
        "Gold error",
        "Look for a run that falls below every control, below best-of-n and below the majority "
        "vote; where it leaves the dotted recurrence, agents did not just copy what was accepted.",
    ),
    "as-many": Plot(
        as_many,
        "The founders, asked as often",
        "Look for a run that errs less than both curves where it stands: at as many answers to a "
        "problem as all its generations gave. A curve below it says that voting, or picking by "
        "grade, gets more out of as many answers of the founders.",
        has=asked,
    ),
    "fitness": Plot(
        fitness,
        "Fitness",
        "Look for fitness that rises while gold error does not fall: that is gaming the graders.",
    ),
    "selector": Plot(
        selector,
        "The selector against the verifier",
        "Look for J above zero, without which selection cannot lower the error, and for an FPR "
        "that climbs as contexts fill.",
    ),
    "reliability": Plot(
        reliability,
        "Reliability of the graders",
        "Look for curves on the diagonal, where grades mean what they say; below it graders are "
        "lenient, above it severe. Larger points hold more grades.",
    ),
    "price": Plot(
        price,
        "Price's accounting of the change of gold error",
        "Below zero is improvement: selection is whose children there are, transmission is what "
        "contexts and mutations changed within a line of descent.",
    ),
    "muller": Plot(
        muller,
        "Founders' shares and the jury's independence",
        "Look for one band taking all: which founder it is can be drift, so how fast it goes "
        "should be held against the neutral-drift arm and the dotted expectation. Below, look for "
        "collision that climbs with kinship: relatives who err say the same, and their agreement "
        "is worth less.",
    ),
    "diversity": Plot(
        diversity,
        "Diversity",
        "Look for lineages that collapse at once, and for an effective size far below the "
        "population's: few agents then decide what all inherit; gaps are undefined or infinite.",
    ),
}
"""File name → figure, in the report's order."""


def figures_of(tables: Tables) -> dict[str, Plot]:
    """Those of `FIGURES` that a run has anything for, in the report's order."""
    return {name: plot for name, plot in FIGURES.items() if plot.has(tables)}


def write_figures(tables: Tables, folder: Path) -> list[Path]:
    """Write each figure as ``<name>.png``, titled, on white, 144 dots an inch."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, plot in figures_of(tables).items():
        figure = plot.draw(tables, WIDE)
        figure.suptitle(plot.title, x=0.01, ha="left", fontsize=11.5, fontweight="bold", color=INK)
        path = folder / f"{name}.png"
        write_figure(figure, path)
        paths.append(path)
    return paths


def _rounded(path: re.Match[str]) -> str:
    """A path to hundredths of a point: half of what a figure of many bands takes is digits."""
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", path[0])


def inline_svg(name: str, tables: Tables, width: float = WIDE) -> str:
    """One of `FIGURES` as an ``<svg>`` element to stand in a page.

    Its colours are CSS variables (see `theme_css`), its text is text, and its ids carry the
    figure's name and width, so that several may stand in one page.
    """
    figure = FIGURES[name].draw(tables, width)
    buffer = io.StringIO()
    with styled():
        laid_out(figure, "svg")
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' d="[^"]*"', _rounded, text)
    prefix = f"{name}-{round(width * 100)}-"
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}", text)
    for colour in DARK:
        text = text.replace(colour, f"var({variable(colour)})")
    label = escape(FIGURES[name].title, quote=True)
    return re.sub(
        r'^<svg [^>]*?viewBox="([^"]*)"[^>]*>',
        rf'<svg viewBox="\1" role="img" aria-label="{label}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">',
        text,
        count=1,
    )
