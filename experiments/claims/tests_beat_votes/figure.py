"""The figure of ways to choose a program: how often each is right."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mgptn.experiments.claims.method.numbers import Number
from mgptn.experiments.figures.style import BLUE, GREEN, GREY, ORANGE, WIDE, styled, write_figure

COLOURS = {"results": BLUE, "tests": ORANGE, "text": GREY}
"""Way of choosing → colour; what is no choice of many by each other is green."""


def draw_ways(rows: Sequence[Number], words: Sequence[str], path: Path) -> Path:
    """A row a way, with its interval; a panel for each size of program."""
    with styled():
        figure = Figure(figsize=(WIDE, 3.6))
        panels = figure.subplots(1, len(words), squeeze=False, sharey=True)[0]
        for axes, size in zip(panels, words, strict=True):
            of = [one for one in rows if one.name.startswith(f"{size} words: ")]
            for place, one in enumerate(of):
                low, high = max(0.0, one.value - one.low), max(0.0, one.high - one.value)
                colour = COLOURS.get(one.name.rpartition(" by ")[2], GREEN)
                axes.errorbar(
                    one.value, place, xerr=[[low], [high]], fmt="o", color=colour, capsize=2
                )
            labels = [one.name.partition(": ")[2] for one in of]
            axes.set_yticks(range(len(of)), labels=labels, fontsize=8)
            axes.grid(visible=False, axis="y")
            axes.set_xlim(-0.03, 1.03)
            axes.set_title(f"programs of {size} words")
            axes.set_xlabel("share right")
        panels[0].invert_yaxis()
        write_figure(figure, path)
    return path
