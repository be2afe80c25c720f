"""The figure of selectors: the fall in error that rates predict, and the one that was measured."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    FOUNDERS,
    MUTED,
    REFERENCE,
    WIDE,
    styled,
    write_figure,
)

STYLES = {
    "oracle": (FOUNDERS[7], "*"),
    "human": (FOUNDERS[1], "o"),
    "peers": (FOUNDERS[0], "s"),
    "self": (FOUNDERS[2], "^"),
    "jury": (FOUNDERS[3], "D"),
    "blind": (FOUNDERS[5], "X"),
}
"""Selector → its colour and mark."""
TOLD = {
    "oracle": "oracle and coin",
    "human": "simulated human",
    "jury": "three peers, correlated",
    "blind": "peers with a blind spot",
}


def draw_selectors(finding: Finding, path: Path) -> Path:
    """A panel a kind of agents: every cell by a fit to the others, on the line if right."""
    kinds = list(dict.fromkeys(name.partition(", ")[0] for name in finding.curves))
    with styled():
        figure = Figure(figsize=(WIDE, 3.5))
        panels = figure.subplots(1, len(kinds), squeeze=False)[0]
        for axes, kind in zip(panels, kinds, strict=True):
            for who, (colour, marker) in STYLES.items():
                points = [
                    finding.curves.get(f"{kind}, {who}: {side}")
                    for side in ("predicted", "measured")
                ]
                if None in points:
                    continue
                axes.plot(
                    *points,
                    marker,
                    color=colour,
                    label=TOLD.get(who, who),
                    markersize=7 if marker == "*" else 5,
                    alpha=0.9,
                )
            low, high = axes.get_xlim()
            axes.plot([low, high], [low, high], **REFERENCE)
            axes.set_title(kind)
            axes.set_xlabel("predicted by TPR, FPR, ρ", color=MUTED)
        panels[0].set_ylabel("fall of the error beyond the twin's")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        write_figure(figure, path)
    return path
