"""The figure of frozen internals: what parts recover, and how large they are."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mgptn.experiments.claims.frozen_internals.measures import EDGES
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import FOUNDERS, REFERENCE, WIDE, styled, write_figure


def draw_recovered(finding: Finding, path: Path) -> Path:
    """A line an arm: C with its interval; beside, the share of weights that were trained."""
    numbers = finding.numbers["Recovered of what all weights learn"]
    shares = {n.name: n.value for n in finding.numbers["Share of the weights"]}
    arms = [n.name.removeprefix("C, ").removesuffix(" alone") for n in numbers]
    rows = np.arange(len(arms))[::-1]
    with styled():
        figure = Figure(figsize=(1.2 * WIDE, 0.5 + 0.27 * len(arms)))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
        for row, arm, number in zip(rows, arms, numbers, strict=True):
            colour = FOUNDERS[1 if arm == EDGES else 0]
            left.plot([number.low, number.high], [row, row], color=colour)
            left.plot(number.value, row, "o", color=colour, markersize=4)
            right.barh(row, shares[f"{arm}: trained"], height=0.6, color=colour)
        for bound in (0.0, 1.0):
            left.axvline(bound, **REFERENCE)
        left.set_yticks(
            rows, [f"{arm} (internals frozen)" if arm == EDGES else arm for arm in arms]
        )
        left.set_xlabel("C: 0 the base, 1 all weights")
        left.set_title("what is recovered by training this alone", fontsize=9)
        right.set_xlabel("numbers trained, of all")
        write_figure(figure, path)
    return path
