"""The figure of a sweep: last gold error against population size, a line for each temperature."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import numpy as np
import polars as pl

from experiments.figure_style import FOUNDERS, MUTED, PAPER, REFERENCE, WIDE, canvas, styled
from experiments.tables import write_whole

DODGE = 0.05
"""Steps by which lines stand apart sideways, in octaves of population size."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def write_sweep_figure(table: pl.DataFrame, path: Path) -> Path:
    """Draw a sweep's table: means over seeds, bars from the least to the greatest seed."""
    with styled():
        figure, axes = canvas(WIDE, 4.4)
        sizes = sorted(set(table["population"].to_list()))
        temperatures = ["selection_temperature", "sampling_temperature"]
        further = [name for name in table.columns if "." in name or name == "selector"]
        groups = list(table.group_by([*temperatures, *further], maintain_order=True))
        looks = zip(groups, cycle(FOUNDERS), cycle(MARKERS), strict=False)
        for place, (((selection, sampling, *values), group), colour, marker) in enumerate(looks):
            errors = [
                group.filter(pl.col("population") == size)["error_last"].to_numpy()
                for size in sizes
            ]
            means = np.array([e.mean() for e in errors])
            spread = np.array([[e.mean() - e.min(), e.max() - e.mean()] for e in errors]).T
            aside = 2.0 ** (DODGE * (place - (len(groups) - 1) / 2))
            axes.errorbar(
                np.array(sizes) * aside,
                means,
                yerr=spread,
                color=colour,
                marker=marker,
                capsize=3,
                label=", ".join([f"selection T {selection:g}, sampling T {sampling:g}", *values]),
            )
        controls = table["error_random_selector"].drop_nulls()
        if len(controls):
            level = float(np.mean(controls.to_numpy()))
            axes.axhline(level, **REFERENCE)
            axes.annotate(
                "random selector, mean of all cells",
                (0.99, level),
                xycoords=("axes fraction", "data"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                color=MUTED,
            )
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, labels=[str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_ylim(-0.02, 1)
        axes.set_xlabel("population size m")
        axes.set_ylabel("gold error, last generation")
        axes.set_title("Mean over seeds; bars from the least to the greatest seed")
        figure.legend(loc="outside lower center", ncols=2)
        write_whole(path, lambda file: figure.savefig(file, format="png", dpi=144, facecolor=PAPER))
    return path
