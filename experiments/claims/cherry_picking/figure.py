"""The figure of cherry-picking: where populations end, and what sampling temperatures do."""

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
    Style,
    styled,
    write_figure,
)

TASKS = ("addition", "facts", "composition", "indivisible", "synthetic")
WAYS: dict[str, tuple[str, Style]] = {
    "picked by verdict": ("picked by verdict", {"color": FOUNDERS[0], "marker": "o"}),
    "picked by grade": ("picked by own grade", {"color": FOUNDERS[2], "marker": "s"}),
    "answers": ("p^α, answers", {"color": FOUNDERS[5], "marker": "^"}),
    "tokens": ("tokens at 1/α", {"color": FOUNDERS[1], "marker": "v", "linestyle": "--"}),
}
PANELS = ("facts", "composition", "addition")
"""Tasks of which the second panel shows the first that there is."""

LEAST = 1e-5


def draw_cherry_picking(finding: Finding, path: Path) -> Path:
    """Draw distances by population, and right answers by divergence from p."""
    with styled():
        figure = Figure(figsize=(WIDE, 3.9))
        left, right = figure.subplots(1, 2)
        for colour, task in zip(FOUNDERS, TASKS, strict=False):
            sizes = finding.curves.get(f"{task}, sizes")
            if sizes is None:
                continue
            left.plot(sizes, finding.curves[f"{task}, one round"], "o-", color=colour, label=task)
            left.plot(sizes, finding.curves[f"{task}, rounds"], "s:", color=colour, markersize=4)
            plain = max(finding.curves[f"{task}, plain gradient"][0], LEAST)
            left.plot([sizes[-1] * 4], [plain], "*", color=colour, markersize=9)
        left.axhline(0.05, **REFERENCE)
        left.set_xscale("log")
        left.set_yscale("log")
        left.set_xlabel("answers picked from (★ plain policy gradient)")
        left.set_ylabel("total variation from p·e^(r/T)/Z")
        left.set_title("one round at T (○), four at 4T (□)")
        left.legend(loc="lower left", fontsize=8)
        shown = next(task for task in PANELS if f"{task}, answers: KL" in finding.curves)
        for way, (label, style) in WAYS.items():
            x = finding.curves[f"{shown}, {way}: KL"]
            right.plot(x, finding.curves[f"{shown}, {way}: right"], label=label, **style)
        right.set_title(f"gpt-3, {shown}")
        right.set_xlabel("KL from p (nats)")
        right.set_ylabel("probability of a right answer")
        right.legend(fontsize=8, labelcolor=MUTED)
        write_figure(figure, path)
    return path
