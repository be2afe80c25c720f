"""The figure of the survey trick: how well each way of asking ranks answers, rung by rung."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
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
    "words by logits": (FOUNDERS[0], "o"),
    "P(True) by logits": (FOUNDERS[3], "D"),
    "mean of four sampled words": (FOUNDERS[2], "s"),
    "one sampled word": (FOUNDERS[1], "^"),
    "digits by logits": (FOUNDERS[7], "v"),
}
"""Way → its colour and mark."""


def draw_ways(finding: Finding, models: Sequence[str], tasks: Sequence[str], path: Path) -> Path:
    """AUC with its interval by rung, a panel a task; chance is dashed."""
    with styled():
        figure = Figure(figsize=(WIDE, 3.9))
        panels = figure.subplots(1, len(tasks), sharey=True, squeeze=False)[0]
        for axes, task in zip(panels, tasks, strict=True):
            axes.axhline(0.5, **REFERENCE)
            for offset, (way, (colour, marker)) in enumerate(STYLES.items()):
                rows = [
                    finding.number("Area under the curve", f"{model}, {task}: {way}")
                    for model in models
                ]
                places = [i + 0.07 * (offset - 2) for i in range(len(models))]
                bars = [
                    [max(0.0, row.value - row.low) for row in rows],
                    [max(0.0, row.high - row.value) for row in rows],
                ]
                axes.errorbar(
                    places,
                    [row.value for row in rows],
                    yerr=bars,
                    color=colour,
                    marker=marker,
                    markersize=4.5,
                    linewidth=1.3,
                    capsize=1.5,
                    label=way,
                )
            axes.set_xticks(range(len(models)), labels=models)
            axes.set_xlim(-0.4, len(models) - 0.6)
            axes.set_title(task)
            axes.set_xlabel("rung", color=MUTED)
        panels[0].set_ylabel("area under the curve")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        write_figure(figure, path)
    return path
