"""The figure of single agents and populations: errors by generation, and Price's bars."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.config.arms import RANDOM, SELECTED
from mgptn.experiments.figures.style import (
    DOTTED,
    FOUNDERS,
    MUTED,
    WIDE,
    look,
    styled,
    two_panels,
    write_figure,
)

SHOWN = ("single", "single-seeds", "clones-apart", "clones", "diverse-apart", "diverse")


def draw_arms(finding: Finding, path: Path) -> Path:
    """Left: each arm's error by generation, its twin's dotted. Right: what Price's terms are."""
    with styled():
        figure, left, right = two_panels(WIDE)
        figure.set_size_inches(WIDE, 4.4)
        for place, arm in enumerate(SHOWN):
            own, twin = (finding.curves[f"{arm}, {of}"] for of in (SELECTED, RANDOM))
            left.plot(range(len(own)), own, **look(place), markersize=4, label=arm)
            left.plot(
                range(len(twin)), twin, color=FOUNDERS[place], linestyle=DOTTED, linewidth=1.2
            )
        left.set_ylim(0, 1)
        left.set_xlabel("generation", color=MUTED)
        left.set_ylabel("gold error (dotted: random-selector twin)")
        rows = finding.numbers["Price's terms of the fall in error, summed over generations"]
        arms = list(dict.fromkeys(row.name.partition(":")[0] for row in rows))
        for offset, term, colour in (
            (-0.18, "selection", FOUNDERS[0]),
            (0.18, "transmission", FOUNDERS[1]),
        ):
            chosen = [row for row in rows if row.name.endswith(f": {term}")]
            places = np.arange(len(chosen)) + offset
            values = np.array([row.value for row in chosen])
            ends = np.array([[row.low, row.high] for row in chosen]).T
            bars = np.maximum(0.0, np.stack([values - ends[0], ends[1] - values]))
            right.bar(places, values, 0.34, yerr=bars, color=colour, label=term, capsize=2,
                      error_kw={"linewidth": 1.0})  # fmt: skip
        right.set_xticks(range(len(arms)), labels=[arm.replace("-", "\n") for arm in arms])
        right.axhline(0, color=MUTED, linewidth=0.8)
        right.set_ylabel("fall in error, whole run")
        right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
        left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, fontsize=8)
        write_figure(figure, path)
    return path
