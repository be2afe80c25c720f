"""The figure of graders' reliability: what share of the answers so graded is right."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mgptn.experiments.figures.drawing import RUN, Tables
from mgptn.experiments.figures.style import (
    BLUE,
    GREEN,
    GREY,
    MUTED,
    ORANGE,
    PINK,
    REFERENCE,
    WIDE,
    styled,
    two_panels,
)

_STYLES = (
    {"color": BLUE, "marker": "o"},
    {"color": ORANGE, "marker": "s"},
    {"color": GREEN, "marker": "^"},
    {"color": PINK, "marker": "D"},
    {"color": GREY, "marker": "v"},
)
MODELS_DRAWN = len(_STYLES)
"""Models with a line of their own; where there are more, all of them have one line together."""


def reliability(tables: Tables, width: float = WIDE) -> Figure:
    """Reliability of each model's grades in the run's first generation and in its last."""
    table = tables["reliability"].filter(pl.col("arm") == RUN, pl.col("role") == "all")
    models = table["model"].unique().sort().to_list()
    models = [model for model in models if model != "all"]
    if len(models) > MODELS_DRAWN:
        models = ["all"]
    generations = sorted(set(table["generation"].to_list()))
    ends = [generations[0], generations[-1]] if generations else [0, 0]
    with styled():
        figure, first, last = two_panels(width)
        handles: list[Artist] = []
        labels: list[str] = []
        for axes, generation in zip((first, last), ends, strict=True):
            axes.plot([0, 1], [0, 1], **REFERENCE)
            here = table.filter(pl.col("generation") == generation)
            for model, style in zip(models, _STYLES, strict=False):
                rows = here.filter(pl.col("model") == model).sort("bin_low")
                if len(rows):
                    handle = _curve(axes, rows, style)
                    if model not in labels:
                        handles.append(handle)
                        labels.append(model)
            if here.is_empty():
                axes.text(0.5, 0.5, "undefined", transform=axes.transAxes, color=MUTED)
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="mean grade")
            axes.set_title(f"generation {generation}")
        first.set_ylabel("share right of the answers so graded")
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _curve(axes: Axes, rows: pl.DataFrame, style: dict[str, str]) -> Artist:
    """One model's bins, each as large as the number of grades in it, with intervals."""
    x, y = rows["grade_mean"].to_numpy(), rows["right"].to_numpy()
    low, high = rows["right_low"].to_numpy(), rows["right_high"].to_numpy()
    axes.vlines(x, low, high, color=style["color"], linewidth=1.2)
    axes.plot(x, y, color=style["color"], linewidth=1.2)
    sizes = rows["grades"].to_numpy()
    area = 12 + 70 * np.sqrt(sizes / max(sizes.sum(), 1))
    return axes.scatter(x, y, s=area, color=style["color"], marker=style["marker"], zorder=3)
