"""The figure of elicit or create: pass@k of base and population, and problem by problem."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mgptn.experiments.claims.elicit_or_create.measures import BASE
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.config.arms import RANDOM, SELECTED
from mgptn.experiments.figures.style import (
    ARM_STYLES,
    FOUNDERS,
    INK,
    REFERENCE,
    WIDE,
    styled,
    write_figure,
)

STYLES = {
    BASE: ("base", {"color": INK, "marker": "s"}),
    RANDOM: ("random-selector twin", ARM_STYLES[RANDOM]),
    SELECTED: ("selected", ARM_STYLES[SELECTED]),
}
LEAST = 1e-5


def draw_attempts(finding: Finding, path: Path) -> Path:
    """Draw a panel of pass@k for each exam, and one of probabilities by problem."""
    exams = [name.removesuffix(", draws") for name in finding.curves if name.endswith(", draws")]
    with styled():
        figure = Figure(figsize=(1.75 * WIDE, 3.5))
        *panels, last = figure.subplots(1, len(exams) + 1)
        for axes, exam in zip(panels, exams, strict=True):
            for side, (label, style) in STYLES.items():
                draws, passed = finding.curves[f"{exam}, draws"], finding.curves[f"{exam}, {side}"]
                axes.plot(draws, passed, label=label, **{**style, "markersize": 3.5})
            axes.set_xscale("log", base=2)
            axes.set_ylim(0.0, 1.03)
            axes.set_title(exam.replace(" → ", "\n→ "), fontsize=9)
            axes.set_xlabel("attempts k")
        panels[0].set_ylabel("pass@k")
        panels[0].legend(loc="lower right", fontsize=7.5)
        for exam, colour in zip(exams, FOUNDERS, strict=False):
            base = np.maximum(finding.curves[f"{exam}, base by problem"], LEAST)
            after = np.maximum(finding.curves[f"{exam}, selected by problem"], LEAST)
            label = exam.rpartition(" ")[2]
            last.plot(base, after, ".", color=colour, markersize=3, alpha=0.6, label=label)
        last.plot([LEAST, 1.0], [LEAST, 1.0], **REFERENCE)
        last.axvline(1.0 / 1024.0, **REFERENCE)
        last.set_xscale("log")
        last.set_yscale("log")
        last.set_xlabel("P(right), base")
        last.set_ylabel("P(right), selected")
        last.set_title("by problem", fontsize=9)
        last.legend(fontsize=6.5, loc="upper left", markerscale=2)
        write_figure(figure, path)
    return path
