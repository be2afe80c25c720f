"""The figure of robustness: J against the share of adversaries, a line for each aggregation."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import polars as pl

from mgptn.experiments.figures.style import (
    MUTED,
    REFERENCE,
    WIDE,
    canvas,
    look,
    styled,
    write_figure,
)


def write_robustness_figure(table: pl.DataFrame, role: str, folder: Path) -> list[Path]:
    """Draw J with its intervals over the share of adversaries, as PNG and SVG."""
    names = table["aggregation"].unique(maintain_order=True).to_list()
    with styled():
        figure, axes = canvas(WIDE, 4.2)
        honest = table.filter(pl.col("share") == 0.0, pl.col("aggregation") == "mean")
        level = float(honest["youden_j"][0]) - 0.1
        axes.axhline(level, **REFERENCE)
        axes.annotate(
            "honest population's mean grade, less 0.1",
            (0.01, level),
            xycoords=("axes fraction", "data"),
            xytext=(0, -12),
            textcoords="offset points",
            ha="left",
            color=MUTED,
        )
        for place, name in enumerate(names):
            rows = table.filter(pl.col("aggregation") == name).sort("share")
            j, low, high = (rows[f"youden_j{end}"].to_numpy() for end in ("", "_low", "_high"))
            # Apart sideways, so that intervals do not hide each other.
            aside = 0.002 * (place - (len(names) - 1) / 2)
            axes.errorbar(
                rows["share"].to_numpy() + aside,
                j,
                yerr=[(j - low).clip(0), (high - j).clip(0)],
                **look(place),
                capsize=3,
                label=name,
            )
        axes.set_xlabel(f"share of the population: {role.replace('_', ' ')}")
        axes.set_ylabel("J = TPR − FPR of what is accepted")
        axes.set_ylim(top=1.02)
        figure.legend(loc="outside lower center", ncols=3)
        paths = [folder / f"robustness.{kind}" for kind in ("png", "svg")]
        for path in paths:
            write_figure(figure, path)
    return paths
