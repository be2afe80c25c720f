"""The figure of extinction: losses against theory, and what founders' weights lose."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    REFERENCE,
    WIDE,
    Style,
    styled,
    write_figure,
)

NAMES = {
    "majority": "what the majority says",
    "coin": "a coin at its rate",
    "demes": "three demes, each its own",
    "rare": "what any two say",
}
COLOURS = {"majority": BLUE, "coin": PINK, "demes": ORANGE, "rare": GREEN}
PLAIN, DEMES, PROTECTED = "lineages, one population", "in four demes", "births kept for the rare"
LOOKS: dict[str, Style] = {
    PLAIN: {"color": BLUE, "marker": "o"},
    DEMES: {"color": ORANGE, "marker": "^"},
    PROTECTED: {"color": GREEN, "marker": "s"},
}


def draw_losses(finding: Finding, path: Path) -> Path:
    """Left: share of trials that lost the right answer, against the chain's. Right: by arm."""
    with styled():
        figure = Figure(figsize=(WIDE, 3.8))
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
        left.plot([0, 1], [0, 1], **REFERENCE)
        for name, look in LOOKS.items():
            points = np.array(
                [of for one, of in finding.curves.items() if _kind(one) == name]
            ).reshape(-1, 2)
            left.plot(*points.T, linestyle="", label=name, **look)
        left.set_xlabel("right answer lost, exact chain")
        left.set_ylabel("lost in tournaments")
        left.set_ylim(-0.06, 1.06)
        left.legend(fontsize=8, loc="lower right")
        for place, arm in enumerate(NAMES):
            of = np.array(finding.curves[f"founders: {arm}"])
            spread = np.linspace(-0.2, 0.2, len(of)) if len(of) > 1 else np.zeros(len(of))
            right.plot(of, place + spread, "o", color=COLOURS[arm], markersize=4, alpha=0.7)
            if of.size:
                ends = [place - 0.35, place + 0.35]
                right.plot([of.mean()] * 2, ends, color=COLOURS[arm], linewidth=2.2)
        right.set_yticks(range(len(NAMES)), labels=list(NAMES.values()), fontsize=8)
        right.set_xlim(-0.04, 1.04)
        right.set_ylim(len(NAMES) - 0.5, -0.5)
        right.grid(False, axis="y")
        right.set_xlabel("lost, of what few founders had right")
        right.axvline(0.0, color=GREY, linewidth=0.8)
        write_figure(figure, path)
    return path


def _kind(curve: str) -> str:
    """Which points a curve is among; nothing for those of founders."""
    if not curve.startswith("lineages: "):
        return ""
    return DEMES if "demes" in curve else PROTECTED if "protected" in curve else PLAIN
