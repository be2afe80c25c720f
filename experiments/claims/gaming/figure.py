"""The figure of gaming: takeovers by flatterers; proxy and gold by strength of selection."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    DOTTED,
    FOUNDERS,
    MUTED,
    PREDICTED,
    WIDE,
    styled,
    write_figure,
)
from mgptn.population.measures.capability import best_of_n_gold

STYLES = {
    "one evaluator": (FOUNDERS[5], "o"),
    "3 shared": (FOUNDERS[1], "s"),
    "9 shared": (FOUNDERS[3], "^"),
    "3 disjoint": (FOUNDERS[4], "D"),
    "9 disjoint": (FOUNDERS[0], "v"),
    "gpt-1 alone": (FOUNDERS[1], "s"),
    "gpt-2 alone": (FOUNDERS[4], "D"),
    "gpt-3 alone": (FOUNDERS[3], "^"),
    "mean of three": (FOUNDERS[0], "v"),
    "oracle": (MUTED, ""),
}
"""Who evaluates → colour and mark."""
FITTED = {"scripted": ("one evaluator", "9 shared"), "trained": ("mean of three",)}
"""Curves beside which the fitted law is drawn."""


def draw_gaming(finding: Finding, path: Path) -> Path:
    """Left: takeovers. Then best of n by scripted evaluators, and by trained ones."""
    with styled():
        figure = Figure(figsize=(WIDE + 1.6, 4.3))
        left, *others = figure.subplots(1, 3)
        for name, (colour, marker) in STYLES.items():
            course = finding.curves.get(f"takeover, {name}")
            if course is None:
                continue
            left.plot(range(len(course)), course, color=colour, marker=marker, markersize=4,
                      label=name)  # fmt: skip
            twin = finding.curves[f"takeover, {name}, twin"]
            left.plot(range(len(twin)), twin, color=colour, linestyle=DOTTED, linewidth=1.0)
        left.set_title("takeover (dotted: random selector)")
        left.set_xlabel("generation", color=MUTED)
        left.set_ylabel("share of flatterers")
        left.set_ylim(-0.02, 1.02)
        for axes, kind in zip(others, ("scripted", "trained"), strict=True):
            _draw_best_of_n(axes, finding, kind)
        for axes in (left, *others):
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2, fontsize=7.5,
                        handlelength=1.5, columnspacing=0.8)  # fmt: skip
        write_figure(figure, path)
    return path


def _draw_best_of_n(axes: Axes, finding: Finding, kind: str) -> None:
    distances = np.array(finding.curves[f"{kind}, √KL"])
    for name, (colour, marker) in STYLES.items():
        gold = finding.curves.get(f"{kind}, {name}: gold")
        if gold is None:
            continue
        axes.plot(distances, gold, color=colour, marker=marker, markersize=4, label=name)
        if name != "oracle":
            proxy = finding.curves[f"{kind}, {name}: proxy"]
            axes.plot(distances, proxy, color=colour, linewidth=0.9, linestyle=(0, (4, 1.5)))
        if name in FITTED[kind]:
            rows = finding.numbers[f"Best of n, {kind} evaluators"]
            slope, decay = (
                next(row.value for row in rows if row.name == f"{name}: {letter}")
                for letter in ("α", "β")
            )
            law = [gold[0] + best_of_n_gold(float(d), slope, decay) for d in distances]
            axes.plot(distances, law, **PREDICTED | {"linewidth": 1.2})
    axes.set_title(f"best of n, {kind}")
    axes.set_xlabel("√KL (dashed: proxy; dotted: fit)", color=MUTED)
    axes.set_ylabel("share right, or grade")
