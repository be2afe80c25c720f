"""The figure of juries: their reach by m and n, and by m and T, and what their word is worth."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    PINK,
    WIDE,
    styled,
    write_figure,
)

SHADES = LinearSegmentedColormap.from_list("reach", [PAPER, BLUE])
WRONG, DESCENT = "Wrong, of what all say alike", "Descent at the end"
NONE = "nobody"
"""Of the axis of selection temperatures: where nobody is replicated."""

COLOURS = {"clones": GREY, "demes": GREEN, "oracle": GREEN, "coin": PINK, "unfiltered": PINK}


def draw_planes(finding: Finding, path: Path) -> Path:
    """Left and middle: mean reach as planes. Right: wrong among what is agreed on, by descent."""
    with styled():
        figure = Figure(figsize=(WIDE, 4.4))
        size, temperature, worth = figure.subplots(1, 3, width_ratios=(1.0, 1.1, 1.5))
        _by_size(size, finding)
        _by_temperature(temperature, finding)
        _worth(worth, finding)
        write_figure(figure, path)
    return path


def _by_size(axes: Axes, finding: Finding) -> None:
    sizes = [s for s in ("small", "middle", "large") if _juries(finding, s)]
    juries = sorted({jury for size in sizes for jury in _juries(finding, size)}, key=int)
    cells = [[_reach(finding, f"{size}, m = {jury}") for size in sizes] for jury in juries]
    _plane(axes, np.array(cells), sizes, juries)
    axes.set_title("digits reached")
    axes.set_xlabel("size of the founders (n)")
    axes.set_ylabel("jury (m)")


def _by_temperature(axes: Axes, finding: Finding) -> None:
    rows = {"3": ("replicating", "middle, m = 3"), "5": ("five replicating", "middle, m = 5")}
    steps = [
        name.partition("T = ")[2]
        for name in _reaches(finding)
        if name.startswith("replicating, T = ")
    ]
    juries = [jury for jury, (_, peers) in rows.items() if peers in _reaches(finding)]
    cells = [
        [_reach(finding, f"{rows[jury][0]}, T = {t}") for t in steps]
        + [_reach(finding, rows[jury][1])]
        for jury in juries
    ]
    _plane(axes, np.array(cells), [*(t.replace("inf", "∞") for t in steps), NONE], juries)
    for row, jury in enumerate(juries):
        _boundary(axes, finding, row, [f"{rows[jury][0]}, T = {t}" for t in steps])
    axes.set_title("… if agreement replicates")
    axes.set_xlabel("selection temperature (T)")
    axes.set_ylabel("jury (m)")


def _boundary(axes: Axes, finding: Finding, row: int, names: Sequence[str]) -> None:
    """A line between cells in which two members are expected to have one founder, and others."""
    expected = {n.name.partition(": as")[0]: n.value for n in finding.numbers[DESCENT]}
    one = [expected.get(name, math.nan) > 0.5 for name in names] + [False]
    for column in range(len(names)):
        if one[column] != one[column + 1]:
            axes.plot([column + 0.5] * 2, [row - 0.5, row + 0.5], color=INK, linewidth=2.2)


def _worth(axes: Axes, finding: Finding) -> None:
    """What juries agree on, in rows: the share that is wrong, with its interval."""
    numbers = finding.numbers[WRONG]
    for place, one in enumerate(numbers):
        low, high = max(0.0, one.value - one.low), max(0.0, one.high - one.value)
        axes.errorbar(
            one.value, place, xerr=[[low], [high]], fmt="o", color=_colour(one.name), capsize=2
        )
    labels = [one.name.replace("inf", "∞") for one in numbers]
    axes.set_yticks(range(len(numbers)), labels=labels, fontsize=7.5)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel("wrong, of what all say alike")


def _colour(name: str) -> str:
    if "replicating" in name:
        return ORANGE
    return COLOURS.get(name, BLUE)


def _plane(axes: Axes, values: np.ndarray, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Cells shaded by their mean reach, with it in them; empty where nothing was run."""
    known = values[~np.isnan(values)]
    low, high = float(known.min()), max(float(known.max()), float(known.min()) + 1.0)
    axes.imshow(values, origin="lower", aspect="auto", cmap=SHADES, vmin=low, vmax=high)
    for row, column in np.ndindex(*values.shape):
        value = values[row, column]
        dark = not math.isnan(value) and (value - low) / (high - low) > 0.6
        said = "–" if math.isnan(value) else f"{value:.1f}"
        colour = PAPER if dark else INK
        axes.text(column, row, said, ha="center", va="center", fontsize=8.5, color=colour)
    axes.set_xticks(range(len(columns)), labels=columns, fontsize=8)
    axes.set_yticks(range(len(rows)), labels=rows)
    axes.grid(visible=False)
    axes.tick_params(color=MUTED)


def _reaches(finding: Finding) -> Mapping[str, float]:
    return {number.name: number.value for number in finding.numbers["Reach, in digits"]}


def _reach(finding: Finding, name: str) -> float:
    return _reaches(finding).get(name, math.nan)


def _juries(finding: Finding, size: str) -> list[str]:
    begun = f"{size}, m = "
    return [name.removeprefix(begun) for name in _reaches(finding) if name.startswith(begun)]
