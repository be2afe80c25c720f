"""The figure of a dial: what is wrong against what it cost, a line for each setting of the rest."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.ticker import EngFormatter

from mgptn.experiments.figures.style import (
    FOUNDERS,
    MARKERS,
    MUTED,
    WIDE,
    canvas,
    styled,
    write_figure,
)

LABELLED = 12
"""Values that are written beside their points; more would cover each other."""


def write_cost_figure(points: pl.DataFrame, key: str, path: Path) -> Path:
    """Draw errors against operations by the answer, seeds as dots and their mean as a line.

    Parameters
    ----------
    points
        `value`, `others`, `seed`, `error`, `flops_per_answer`: a row a cell.
    """
    with styled():
        figure, axes = canvas(WIDE, 3.8)
        for place, ((others,), group) in enumerate(points.group_by("others", maintain_order=True)):
            colour, marker = FOUNDERS[place % len(FOUNDERS)], MARKERS[place % len(MARKERS)]
            axes.scatter(
                group["flops_per_answer"],
                group["error"],
                s=9,
                color=colour,
                alpha=0.35,
                linewidth=0,
            )
            means = group.group_by("value", maintain_order=True).agg(
                pl.col("flops_per_answer", "error").mean()
            )
            axes.plot(
                means["flops_per_answer"], means["error"], color=colour, marker=marker, label=others
            )
            for value, flops, error in means.iter_rows() if len(means) <= LABELLED else ():
                axes.annotate(
                    value,
                    (flops, error),
                    xytext=(4, 4),
                    textcoords="offset points",
                    color=MUTED,
                )
        axes.set_ylim(-0.02, max(0.1, 1.08 * float(np.max(points["error"].to_numpy()))))
        axes.xaxis.set_major_formatter(EngFormatter())
        axes.set_xlabel("FLOPs an answer")
        axes.set_ylabel("gold error, last generation")
        axes.set_title(f"By {key}: means over seeds, a dot a seed")
        if points["others"].n_unique() > 1:
            figure.legend(loc="outside lower center", ncols=2)
        write_figure(figure, path)
    return path
