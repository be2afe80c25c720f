"""The phase diagram as a figure: planes with their boundaries, and what moves them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.phase_diagram.numbers import FACTORS_GROUP
from mgptn.experiments.figures.style import (
    DOTTED,
    FOUNDERS,
    INK,
    MAJORITY,
    MARKERS,
    MUTED,
    PAPER,
    PREDICTED,
    look,
    styled,
    write_figure,
)
from mgptn.population.records.arrays import Floats

WIDTH, HEIGHT = 10.2, 7.0
SHADES = LinearSegmentedColormap.from_list("amplified", ["#f3f4f6", FOUNDERS[0]])


def draw_planes(results: Results, finding: Finding, path: Path) -> Path:
    """Above, a plane for each task and the scripted one; below, errors beside bars, and factors."""
    curves = finding.curves
    tasks = list(dict.fromkeys(key.partition(",")[0] for key in curves if key.endswith(": bar")))
    columns = max(3, len(tasks) + 1)
    with styled():
        figure = Figure(figsize=(WIDTH, HEIGHT))
        axes = figure.subplots(2, columns)
        for place, task in enumerate(tasks):
            _ladder_plane(axes[0, place], finding, task)
            _errors(axes[1, place], finding, task)
        _scripted_plane(axes[0, -1], finding)
        _factors(axes[1, -1], finding)
        for place in range(len(tasks), columns - 1):
            axes[0, place].set_axis_off()
            axes[1, place].set_axis_off()
        handles, labels = axes[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=7, fontsize=8.5)
        write_figure(figure, path)
    return path


def _ladder_plane(axes: Axes, finding: Finding, task: str) -> None:
    curves, rungs = finding.curves, _rungs(finding, task)
    shares = np.array([curves[f"{task}, {rung}: amplified"] for rung in rungs])
    sizes = np.array(curves[f"{task}, {rungs[0]}: sizes"])
    _plane(axes, shares, sizes, rungs)
    boundary = np.array(curves[f"boundary, {task}, log₁₀ parameters"])
    _stairs(axes, boundary, sizes)
    axes.set_title(f"{task}: share of runs amplified")
    axes.set_xlabel("rung of the ladder (n)")
    axes.set_ylabel("population size m")


def _scripted_plane(axes: Axes, finding: Finding) -> None:
    curves = finding.curves
    positions, sizes = (np.array(curves[f"scripted: {of}"]) for of in ("positions", "sizes"))
    shares = np.array([curves[f"scripted: amplified at {place:.3f}"] for place in positions])
    _plane(axes, shares, sizes, [f"{place:.2f}" for place in positions])
    _stairs(axes, np.array(curves["boundary, scripted agents, ln Λ₁"]), sizes)
    theory = np.array(curves["scripted: theory"])
    axes.plot(range(len(positions)), _heights(theory, sizes), **PREDICTED, marker="x")
    axes.set_title("scripted agents: share that reach .05")
    axes.set_xlabel("ln Λ₁ of one grader (dotted: 1 + K / ln Λ₁)")


def _plane(axes: Axes, shares: Floats, sizes: Floats, names: list[str]) -> None:
    """Cells shaded by their share, with the share in them."""
    axes.imshow(shares.T, origin="lower", aspect="auto", cmap=SHADES, vmin=0, vmax=1)
    for column, row in np.ndindex(*shares.shape):
        value = shares[column, row]
        axes.text(
            column,
            row,
            f"{value:.2f}".replace("0.", ".").replace("1.00", "1"),
            ha="center",
            va="center",
            fontsize=8,
            color=PAPER if value > 0.6 else INK,
            zorder=6,
            # Above the boundary's line, where it runs through the middle of a cell.
            bbox={"boxstyle": "round,pad=0.12", "facecolor": SHADES(value), "edgecolor": "none"},
        )
    axes.set_xticks(range(len(names)), labels=names)
    axes.set_yticks(range(len(sizes)), labels=[f"{size:g}" for size in sizes])
    axes.grid(visible=False)


def _stairs(axes: Axes, boundary: Floats, sizes: Floats) -> None:
    """The fitted boundary, a step for each column; none where it is beyond what was tried."""
    for column, height in enumerate(_heights(boundary, sizes)):
        if np.isfinite(height):
            axes.plot([column - 0.48, column + 0.48], [height, height], color=INK, linewidth=2.2)


def _heights(values: Floats, sizes: Floats) -> Floats:
    """Rows at which sizes stand, between those that were tried in proportion to ln m."""
    rows = np.interp(
        np.log(values), np.log(sizes), np.arange(len(sizes)), left=-0.5, right=len(sizes) - 0.5
    )
    return np.where(np.isfinite(values), rows, np.nan)


def _errors(axes: Axes, finding: Finding, task: str) -> None:
    curves = finding.curves
    for place, rung in enumerate(_rungs(finding, task)):
        sizes = curves[f"{task}, {rung}: sizes"]
        style = look(place)
        axes.plot(sizes, curves[f"{task}, {rung}: error"], **style, label=rung)
        axes.plot(
            sizes,
            curves[f"{task}, {rung}: best of founders"],
            color=style["color"],
            linestyle=DOTTED,
        )
    axes.plot([], [], color=INK, linestyle=DOTTED, label="best graded of as many founders")
    lowest = _rungs(finding, task)[0]
    axes.plot(
        curves[f"{task}, {lowest}: sizes"],
        curves[f"{task}, {lowest}: bar"],
        **MAJORITY,
        label="lowest bar: majority of any M-GPT-N above",
    )
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, labels=[f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("population size m")
    axes.set_ylabel("error of the collective")
    axes.set_title(task)


def _factors(axes: Axes, finding: Finding) -> None:
    """Errors by what makes graders differ."""
    rows = [row for row in finding.numbers[FACTORS_GROUP] if row.name.endswith(": error")]
    tasks = list(dict.fromkeys(row.name.split(", ")[1].partition(":")[0] for row in rows))
    arms = list(dict.fromkeys(row.name.partition(",")[0] for row in rows))
    for place, task in enumerate(tasks):
        chosen = [row for row in rows if row.name.partition(", ")[2] == f"{task}: error"]
        values = np.array([row.value for row in chosen])
        bars = np.maximum(
            0.0,
            [
                [row.value - row.low for row in chosen],
                [row.high - row.value for row in chosen],
            ],
        )
        axes.errorbar(
            np.arange(len(chosen)) + 0.12 * (place - (len(tasks) - 1) / 2),
            values,
            yerr=bars,
            fmt=MARKERS[place],
            color=FOUNDERS[3 + place],
            capsize=3,
            label=task,
        )
    axes.set_xticks(range(len(arms)), labels=[arm.replace("-", "\n") for arm in arms])
    axes.set_ylim(-0.02, 1.02)
    axes.set_title("what makes graders differ: error")
    axes.legend(loc="lower right", fontsize=8.5, labelcolor=MUTED)


def _rungs(finding: Finding, task: str) -> list[str]:
    ends = ": bar"
    return [
        key.partition(", ")[2].removesuffix(ends)
        for key in finding.curves
        if key.startswith(f"{task}, ") and key.endswith(ends)
    ]
