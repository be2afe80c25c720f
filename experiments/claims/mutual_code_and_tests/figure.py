"""The figure of coders and testers: errors beside their controls'."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mgptn.experiments.claims.method.numbers import Number
from mgptn.experiments.figures.style import BLUE, GREY, ORANGE, WIDE, styled, write_figure

COLOURS = {"peers": BLUE, "vote of the peers": BLUE, "a coin": ORANGE}
"""What is the population's, and its coin's; the rest is the founders'."""


def draw_errors(rows: Sequence[Number], path: Path) -> Path:
    """A row a column of errors, with its interval; panels by outside seats and kind of question."""
    names = list(dict.fromkeys(one.name.partition(": ")[0] for one in rows))
    with styled():
        figure = Figure(figsize=(WIDE, 2.9 * (len(names) // 2)))
        panels = figure.subplots(len(names) // 2, 2, squeeze=False, sharey=True, sharex=True)
        for axes, name in zip(panels.flat, names, strict=True):
            of = [one for one in rows if one.name.startswith(f"{name}: ")]
            labels = [one.name.partition(": ")[2] for one in of]
            for place, one in enumerate(of):
                low, high = max(0.0, one.value - one.low), max(0.0, one.high - one.value)
                axes.errorbar(
                    one.value, place, xerr=[[low], [high]], fmt="o",
                    color=COLOURS.get(labels[place], GREY), capsize=2,
                )  # fmt: skip
            axes.set_yticks(range(len(of)), labels=labels, fontsize=8)
            axes.grid(visible=False, axis="y")
            axes.set_xlim(-0.03, 1.03)
            axes.set_title(name, fontsize=9)
        panels[0][0].invert_yaxis()
        for axes in panels[-1]:
            axes.set_xlabel("share wrong")
        write_figure(figure, path)
    return path
