"""The figure of agency: gaps and sizes by generation, and what comes back of a level set."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    BLUE,
    DASHED,
    DOTTED,
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

ARMS: dict[str, tuple[str, Style]] = {
    "peers, T 0.02": ("peers, T .02", {"color": BLUE, "marker": "o", "linewidth": 2.4}),
    "peers, T 0.2": ("peers, T .2", {"color": GREEN, "marker": "v"}),
    "peers, T ∞": ("peers, T ∞", {"color": ORANGE, "marker": "s"}),
    "coin": ("a coin", {"color": PINK, "marker": "x"}),
}
COOLED: dict[str, tuple[str, Style]] = {
    "1.0": ("founders", {"color": GREY}),
    "0.7": ("founders at .7", {"color": MUTED, "linestyle": DOTTED}),
    "0.5": ("founders at .5", {"color": MUTED, "linestyle": DASHED}),
    "0.3": ("founders at .3", {"color": INK, "linestyle": DASHED}),
}
"""Sampling temperature → how the founders' line is drawn."""

BY: dict[str, tuple[str, Style]] = {
    "peers": ("peers, T .02", {"color": BLUE, "marker": "o", "linewidth": 2.4}),
    "T ∞": ("peers, T ∞", {"color": ORANGE, "marker": "s"}),
    "coin": ("a coin", {"color": PINK, "marker": "x"}),
}
KICKED = {
    "contexts": "examples of every context made wrong",
    "weights": "deviation of noise on every weight",
}


def draw_levels(finding: Finding, path: Path) -> Path:
    """Four panels."""
    with styled():
        figure = Figure(figsize=(1.1 * WIDE, 6.0))
        (gaps, sizes), kicks = figure.subplots(2, 2)
        for axes, column, told in (
            (gaps, "gap", "gap at the edge (nats)"),
            (sizes, "size", "answers that hold .9"),
        ):
            _draw_generations(axes, finding, column)
            axes.set_ylabel(told)
        sizes.set_yscale("log")
        sizes.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        sizes.minorticks_off()
        for axes, (kind, told) in zip(kicks, KICKED.items(), strict=True):
            _draw_kicks(axes, finding, kind)
            axes.set_xlabel(told)
        kicks[0].set_ylabel("probability of the level set")
        kicks[0].legend(fontsize=7.5, loc="lower left")
        lines, names = gaps.get_legend_handles_labels()
        figure.legend(lines, names, loc="outside upper center", ncols=4, fontsize=8.5)
        write_figure(figure, path)
    return path


def _draw_generations(axes: Any, finding: Finding, column: str) -> None:
    begun = finding.curves[f"{column}: founders, sampling temperature 1.0"]
    for name, (label, look) in ARMS.items():
        values = finding.curves.get(f"{column}: {name}")
        if values:
            values = (*begun, *values)
            axes.plot(range(len(values)), values, markersize=3.5, label=label, **look)
    for at, (label, look) in COOLED.items():
        found = finding.curves.get(f"{column}: founders, sampling temperature {at}")
        if found:
            axes.axhline(found[0], label=label, **look)
    axes.set_xlabel("generation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_kicks(axes: Any, finding: Finding, kind: str) -> None:
    sizes = range(len(finding.curves[f"kicks: {kind}"]))
    axes.plot(sizes, finding.curves[f"before: {kind}, peers"], color=GREY, label="before")
    axes.plot(
        sizes, finding.curves[f"kicked: {kind}, peers"], color=INK, linestyle=DASHED, label="kicked"
    )
    for by, (label, look) in BY.items():
        axes.plot(
            sizes, finding.curves[f"after: {kind}, {by}"], markersize=3.5, label=label, **look
        )
    axes.set_xticks(list(sizes), [f"{size:g}" for size in finding.curves[f"kicks: {kind}"]])
    axes.set_ylim(0.0, 1.0)
