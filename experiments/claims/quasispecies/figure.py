"""The figure of quasispecies: what is kept by error rate, on single peaks and by a model."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    FOUNDERS,
    MUTED,
    PREDICTED,
    REFERENCE,
    WIDE,
    styled,
    write_figure,
)

MARKERS = ("v", "^", "s", "o", "D")


def draw_clouds(finding: Finding, path: Path) -> Path:
    """Draw the last single peak, and the model's landscape beside it."""
    landscapes = [name.removesuffix(", factors") for name in finding.curves if "factors" in name]
    with styled():
        figure = Figure(figsize=(WIDE, 3.7))
        left, right = figure.subplots(1, 2)
        peak = [name for name in landscapes if name.startswith("L ")][-1]
        _sizes(left, finding, peak)
        left.axvline(1.0, **REFERENCE)
        left.set_title(f"single peak, {peak}")
        left.set_ylabel("populations that kept the master")
        left.set_xlabel("error rate over 1 − σ^(−1/L)")
        _sizes(right, finding, "gpt-3")
        factors = finding.curves["gpt-3, factors"]
        right.plot(factors, finding.curves["gpt-3, predicted"], label="W = Q·diag(f)", **PREDICTED)
        right.plot(
            factors, finding.curves["gpt-3, random parents"], color=MUTED, label="random parents"
        )
        right.axvline(1.0, **REFERENCE)
        right.set_title("gpt-3, bits: examples right or wrong")
        right.set_ylabel("added accuracy that is kept")
        right.set_xlabel("error rate over predicted threshold")
        for axes in (left, right):
            axes.legend(fontsize=8)
        write_figure(figure, path)
    return path


def _sizes(axes: Axes, finding: Finding, landscape: str) -> None:
    """A line for each size."""
    start = f"{landscape}, N "
    sizes = [name for name in finding.curves if name.startswith(start)]
    for name, colour, marker in zip(sizes, FOUNDERS, MARKERS, strict=False):
        axes.plot(
            finding.curves[f"{landscape}, factors"],
            finding.curves[name],
            color=colour,
            marker=marker,
            markersize=4,
            label=f"N = {int(name.removeprefix(start)):,}",
        )
