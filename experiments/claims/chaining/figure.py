"""The figure of chaining: error by round beside the recurrence, for each kind of agent."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    FOUNDERS,
    MUTED,
    PREDICTED,
    WIDE,
    styled,
    write_figure,
)

PANELS = {"copy": "copiers", "bayes": "learners (exact Bayes)", "ladder": "gpt-3, composition"}
COLOURS = {
    "Λ 1, b ": FOUNDERS[7],
    "Λ 1.5, b ": FOUNDERS[1],
    "Λ 9, b ": FOUNDERS[2],
    "accepted, b ": FOUNDERS[0],
    "own labels, b ": FOUNDERS[3],
}
MARKERS = {"4": "^", "14": "D", "16": "s", "64": "o"}
LEAST = 0.004


def draw_chaining(finding: Finding, path: Path) -> Path:
    """Draw errors on a scale of log-odds, on which the recurrence is a straight line."""
    with styled():
        figure = Figure(figsize=(WIDE, 3.9))
        panels = figure.subplots(1, len(PANELS), sharey=True)
        for axes, (kind, title) in zip(panels, PANELS.items(), strict=True):
            curves = {name: c for name, c in finding.curves.items() if _kind(name) == kind}
            own = {name: curve for name, curve in curves.items() if "recurrence" not in name}
            drawn = set()
            for name, curve in own.items():
                group, buffer = _group(name), name.split("buffer ")[1].split(",")[0]
                shown = [max(value, LEAST) for value in curve]
                axes.plot(
                    range(len(shown)),
                    shown,
                    color=COLOURS.get(group, MUTED),
                    marker=MARKERS.get(buffer, "v"),
                    label=f"{group}{buffer}",
                    markersize=4,
                )
                expected = curves.get(f"{name}, recurrence")
                if expected and group not in drawn:
                    kept = [value for value in expected if value >= LEAST]
                    axes.plot(range(len(kept)), kept, **PREDICTED)
                    drawn.add(group)
            axes.set_yscale("logit")
            axes.set_ylim(LEAST * 0.8, 0.75)
            axes.set_yticks([0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65])
            axes.set_yticklabels([".005", ".02", ".05", ".1", ".2", ".35", ".5", ".65"])
            axes.minorticks_off()
            axes.set_title(title)
            axes.set_xlabel(
                "round (dotted: recurrence)" if kind != "ladder" else "round", color=MUTED
            )
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=7.5,
                        handlelength=1.4, columnspacing=0.8)  # fmt: skip
        panels[0].set_ylabel("share of wrong answers (log-odds scale)")
        write_figure(figure, path)
    return path


def _kind(name: str) -> str:
    return name.split(",")[0].split("-")[0]


def _group(name: str) -> str:
    """What shares a colour: one Λ, or one protocol."""
    if "Λ" in name:
        return f"Λ {name.split('Λ ')[1].split(',')[0]}, b "
    return "own labels, b " if "labels" in name else "accepted, b "
