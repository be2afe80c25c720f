"""The figure of checking and proving: founders' shares, and steps of search over steps of check."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mgptn.experiments.claims.method.numbers import Number
from mgptn.experiments.figures.style import (
    BLUE,
    MUTED,
    ORANGE,
    WIDE,
    styled,
    write_figure,
)


def draw_both(models: Sequence[Number], decisive: Sequence[Number], path: Path) -> Path:
    """Above: what founders do, in rows. Below: logarithms, above 0 where checking is less work."""
    with styled():
        ratios = [one for one in decisive if " over check" in one.name]
        figure = Figure(figsize=(WIDE, 4.4))
        above, below = figure.subplots(2, 1, height_ratios=(len(models), len(ratios)))
        _rows(above, models, BLUE)
        above.set_xlabel("share, or advantage over chance")
        _rows(below, ratios, ORANGE)
        below.axvline(0, color=MUTED, linewidth=0.8)
        below.set_xlabel("ln(steps of search / steps of check)")
        write_figure(figure, path)
    return path


def _rows(axes: Axes, numbers: Sequence[Number], colour: str) -> None:
    for place, one in enumerate(numbers):
        low, high = max(0.0, one.value - one.low), max(0.0, one.high - one.value)
        axes.errorbar(one.value, place, xerr=[[low], [high]], fmt="o", color=colour, capsize=2)
    labels = [one.name.replace("ln of ", "").replace(" over check", "") for one in numbers]
    axes.set_yticks(range(len(numbers)), labels=labels, fontsize=8)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
