"""The figure of checking and proving: founders' shares, and steps of search over steps of check."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from mgptn.experiments.claims.method.numbers import Number
from mgptn.experiments.figures.style import (
    BLUE,
    MUTED,
    ORANGE,
    WIDE,
    styled,
    two_panels,
    write_figure,
)


def draw_both(models: Sequence[Number], decisive: Sequence[Number], path: Path) -> Path:
    """Left: what founders do, in rows. Right: logarithms above 0, where checking is less work."""
    with styled():
        figure, left, right = two_panels(WIDE)
        _rows(left, models, BLUE)
        left.set_xlabel("share, or advantage over chance")
        ratios = [one for one in decisive if " over check" in one.name]
        _rows(right, ratios, ORANGE)
        right.axvline(0, color=MUTED, linewidth=0.8)
        right.set_xlabel("ln(steps of search / steps of check)")
        write_figure(figure, path)
    return path


def _rows(axes: Axes, numbers: Sequence[Number], colour: str) -> None:
    for place, one in enumerate(numbers):
        low, high = max(0.0, one.value - one.low), max(0.0, one.high - one.value)
        axes.errorbar(one.value, place, xerr=[[low], [high]], fmt="o", color=colour, capsize=2)
    labels = [one.name.replace("ln of ", "").replace(" over check", "") for one in numbers]
    axes.set_yticks(range(len(numbers)), labels=labels, fontsize=7)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
