"""A run's figures, each a function of its tables."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mgptn.experiments.figures.drawing import (
    RUN,
    Tables,
    all_arms,
    arm_rows,
    column_values,
    draw_line,
    put_legend,
    say_undefined,
    step,
)
from mgptn.experiments.figures.style import (
    BEST_OF,
    BLUE,
    DASHED,
    INK,
    MAJORITY,
    MUTED,
    ORANGE,
    PAPER,
    PINK,
    PREDICTED,
    REFERENCE,
    WIDE,
    arm_style,
    canvas,
    styled,
    two_panels,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.theory.classification import filtered_error


def fitness(tables: Tables, width: float = WIDE) -> Figure:
    """Mean fitness of every arm and the best agent's in the run, over generations."""
    with styled():
        figure, axes = canvas(width)
        for arm, rows in all_arms(tables):
            x = column_values(rows, "generation")
            draw_line(axes, x, column_values(rows, "fitness_mean"), f"{arm}: mean", arm_style(arm))
            if arm == RUN:
                best = {**arm_style(arm), "linestyle": DASHED, "linewidth": 1.4}
                draw_line(axes, x, column_values(rows, "fitness_max"), f"{arm}: max", best)
        axes.set_ylabel("fitness")
        _share_axis(axes)
        return _finish(figure, [axes], tables)


def error(tables: Tables, width: float = WIDE) -> Figure:
    """Gold error of every arm, what voting would do without selection, and the recurrence."""
    with styled():
        figure, axes = canvas(width, height=4.2)
        for arm, rows in all_arms(tables):
            x = column_values(rows, "generation")
            if arm == RUN:
                low, high = (
                    column_values(rows, "gold_error_low"),
                    column_values(rows, "gold_error_high"),
                )
                axes.fill_between(x, low, high, color=arm_style(arm)["color"], alpha=0.18, lw=0)
                if len(x) == 1:
                    axes.vlines(x, low, high, color=arm_style(arm)["color"], alpha=0.5)
            label = f"{arm}, 95 % interval" if arm == RUN else arm
            draw_line(axes, x, column_values(rows, "gold_error"), label, arm_style(arm))
        for arm, rows in all_arms(tables):
            if arm == "unselected":
                x, size = column_values(rows, "generation"), int(rows["agents"][0])
                best, majority = (
                    column_values(rows, "best_of_n_error"),
                    column_values(rows, "majority_error"),
                )
                draw_line(axes, x, best, f"unselected: best of {size}", BEST_OF)
                draw_line(axes, x, majority, f"unselected: majority of {size}", MAJORITY)
        rows = arm_rows(tables["generations"], RUN)
        predicted = predicted_errors(rows)
        x = column_values(rows, "generation")[: len(predicted)]
        draw_line(axes, x, predicted, "predicted by the recurrence", PREDICTED)
        axes.set_ylabel("share of answers that are wrong")
        _share_axis(axes)
        return _finish(figure, [axes], tables)


def predicted_errors(generations: pl.DataFrame) -> list[float]:
    """The recurrence of iterative classification, started once and never corrected.

    It starts at the measured gold error of the first row and applies each row's measured TPR and
    FPR; it ends early where one of these is undefined or nothing would be accepted.

    Parameters
    ----------
    generations
        Rows of one arm of the table of that name, in order.
    """
    predicted: list[float] = []
    now = float(generations["gold_error"][0]) if len(generations) else np.nan
    for tpr, fpr in zip(
        column_values(generations, "tpr"), column_values(generations, "fpr"), strict=True
    ):
        if not np.isfinite(now):
            break
        predicted.append(now)
        accepted = now * fpr + (1 - now) * tpr
        if not accepted > 0:
            break
        now = float(filtered_error(now, tpr, fpr))
    return predicted


def selector(tables: Tables, width: float = WIDE) -> Figure:
    """How well the run's selector tells right from wrong answers, over generations."""
    with styled():
        figure, axes = canvas(width)
        rows = arm_rows(tables["generations"], RUN)
        x = column_values(rows, "generation")
        for column, label, style in (
            ("tpr", "TPR: right answers accepted", {"color": BLUE, "marker": "o"}),
            ("fpr", "FPR: wrong answers accepted", {"color": ORANGE, "marker": "s"}),
            ("youden_j", "J = TPR − FPR", {**PREDICTED, "marker": "D"}),
        ):
            draw_line(axes, x, column_values(rows, column), label, style)
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.set_ylabel("share, or difference of shares")
        lowest = min([0.0, *(_extremes(line)[0] for line in _drawn(axes))])
        axes.set_ylim(lowest * 1.1 - 0.03, 1.03)
        return _finish(figure, [axes], tables)


def diversity(tables: Tables, width: float = WIDE) -> Figure:
    """What is left of the founders' diversity in the run, and its effective size."""
    with styled():
        figure, left, right = two_panels(width)
        rows = arm_rows(tables["generations"], RUN)
        x = column_values(rows, "generation")
        for column, label, style in (
            ("genotypes", "genotypes", {"color": ORANGE, "marker": "s"}),
            ("lineages", "lineages", {"color": BLUE, "marker": "o"}),
            ("lineage_diversity", "lineages, Hill number q = 1", {**BEST_OF, "marker": "^"}),
        ):
            draw_line(left, x, column_values(rows, column), label, style)
        style = {"color": PINK, "marker": "D"}
        draw_line(right, x, column_values(rows, "effective_size"), "effective size", style)
        if len(rows):
            size = float(rows["agents"][0])
            left.axhline(size, **REFERENCE)
            right.axhline(size, label="population size", **REFERENCE)
        left.set_title("alive after selection")
        right.set_title("effective population size")
        left.set_ylabel("number")
        for axes in (left, right):
            axes.set_ylim(bottom=0)
        return _finish(figure, [left, right], tables)


def price(tables: Tables, width: float = WIDE) -> Figure:
    """Price's two parts of each change of the run's mean gold error.

    Of a long run, changes of some generations in a row are summed up: each bar is their whole.
    """
    with styled():
        figure, axes = canvas(width)
        rows = arm_rows(tables["generations"], RUN)
        several = step(len(rows))
        x = _by_several(column_values(rows, "generation"), several, np.nanmean)
        parts = {
            "selection": (column_values(rows, "price_selection"), BLUE, -0.19, ""),
            "transmission": (column_values(rows, "price_transmission"), ORANGE, 0.19, "//"),
        }
        known, total = np.ones(len(x), dtype=bool), np.zeros(len(x))
        for label, (column, colour, shift, hatch) in parts.items():
            values = _by_several(column, several, np.nansum)
            finite = np.isfinite(values)
            known &= finite
            total += values
            if finite.any():
                axes.bar(
                    x[finite] + shift * several,
                    values[finite],
                    width=0.36 * several,
                    color=colour,
                    edgecolor=PAPER,
                    linewidth=0,
                    hatch=hatch,
                    label=label,
                )
        if known.any():
            axes.plot(
                x[known], total[known], "D", color=INK, markersize=6, label="sum: change of error"
            )
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.set_ylabel(
            "change since the generation before"
            if several == 1
            else f"change over {several} generations"
        )
        return _finish(figure, [axes], tables)


def _by_several(values: Sequence[float], several: int, of: Callable[[Floats], float]) -> Floats:
    """What some values in a row make together, float64; NaN where none of them is finite."""
    found = []
    for first in range(0, len(values), several):
        part = np.array(values[first : first + several], dtype=np.float64)
        part = part[np.isfinite(part)]
        found.append(of(part) if part.size else np.nan)
    return np.array(found, dtype=np.float64)


def _finish(figure: Figure, panels: Sequence[Axes], tables: Tables) -> Figure:
    """Axes that the figures share: generations below, and one legend under all panels."""
    generations = tables["generations"]["generation"].unique().to_list()
    handles, labels = [], []
    for axes in panels:
        axes.set_xlabel("generation")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(False, axis="x")
        if len(generations) == 1:
            axes.set_xlim(generations[0] - 1, generations[0] + 1)
            axes.set_xticks(generations)
        more_handles, more_labels = axes.get_legend_handles_labels()
        if not more_handles:
            say_undefined(axes)
        handles += more_handles
        labels += more_labels
    put_legend(figure, handles, labels)
    return figure


def _share_axis(axes: Axes) -> None:
    """A vertical axis from 0 to at most 1, as far up as there is something to see."""
    top = max([0.05, *(_extremes(line)[1] for line in _drawn(axes))])
    if axes.collections:
        top = max(top, axes.dataLim.y1)
    axes.set_ylim(0, min(top * 1.08, 1.02))


def _drawn(axes: Axes) -> list[Line2D]:
    """The lines that stand in the legend."""
    return [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]


def _extremes(line: Line2D) -> tuple[float, float]:
    values = np.asarray(line.get_ydata(), dtype=np.float64)
    return float(np.nanmin(values)), float(np.nanmax(values))
