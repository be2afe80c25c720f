"""The figure of a sweep: last gold error against population size, a line for each temperature."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mgptn.experiments.figures.style import (
    FOUNDERS,
    MARKERS,
    MUTED,
    REFERENCE,
    WIDE,
    canvas,
    styled,
    write_figure,
)

DODGE = 0.05
"""Steps by which lines stand apart sideways, in octaves of population size."""


def write_sweep_figure(table: pl.DataFrame, path: Path) -> Path:
    """Draw a sweep's table: means over seeds, bars from the least to the greatest seed."""
    with styled():
        named = _varied(table)
        groups = list(table.group_by(axis_columns(table), maintain_order=True))
        figure, axes = canvas(WIDE, 4.0 + 0.11 * len(groups))
        sizes = sorted(set(table["population"].to_list()))
        for place, (values, group) in enumerate(groups):
            colour = FOUNDERS[place % len(FOUNDERS)]
            marker = MARKERS[(place + place // len(FOUNDERS)) % len(MARKERS)]
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
                label=_label(dict(zip(axis_columns(table), values, strict=True)), named),
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
        if named:
            figure.legend(loc="outside lower center", ncols=2)
        write_figure(figure, path)
    return path


def axis_columns(table: pl.DataFrame) -> list[str]:
    """What tells the lines of a sweep apart: both temperatures, and whatever else was varied."""
    further = [name for name in table.columns if "." in name or name == "selector"]
    return ["selection_temperature", "sampling_temperature", *further]


def _varied(table: pl.DataFrame) -> list[str]:
    """Those of the axes that have more than one value."""
    return [name for name in axis_columns(table) if table[name].n_unique() > 1]


def _label(values: Mapping[str, Any], named: Sequence[str]) -> str | None:
    """What tells a line from the others; None where there are no others."""
    words = {"selection_temperature": "selection T ", "sampling_temperature": "sampling T "}
    parts = [
        f"{words.get(name, '')}{values[name]:g}" if name in words else str(values[name])
        for name in named
    ]
    return ", ".join(parts) or None
