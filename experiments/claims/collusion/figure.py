"""The figure of collusion: idle tests by generation, beside a coin's."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mgptn.experiments.figures.style import BLUE, DOTTED, ORANGE, canvas, styled, write_figure


def draw_course(curves: Mapping[str, Sequence[float]], path: Path) -> Path:
    """A line an arm: without a seat outside and with one; a coin's is dotted."""
    with styled():
        figure, axes = canvas(5.6)
        for name, values in curves.items():
            outside, _, who = name.partition(", ")
            axes.plot(
                range(len(values)),
                values,
                color=BLUE if outside.startswith("no") else ORANGE,
                linestyle=DOTTED if who == "a coin" else "-",
                marker="o",
                label=name,
            )
        axes.set_xlabel("generation")
        axes.set_ylabel("idle tests")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8)
        write_figure(figure, path)
    return path
