"""A run's figures, each a function of its tables."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TypeAlias

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mgptn.experiments.figures.style import (
    BEST_OF,
    BLUE,
    DASHED,
    FOUNDERS,
    INK,
    MAJORITY,
    MUTED,
    ORANGE,
    OTHER_FOUNDERS,
    PAPER,
    PINK,
    PREDICTED,
    REFERENCE,
    WIDE,
    Style,
    arm_style,
    canvas,
    styled,
    two_panels,
)
from mgptn.population.theory.classification import filtered_error

Tables: TypeAlias = Mapping[str, pl.DataFrame]
Values: TypeAlias = Sequence[float]

RUN = "selected"
"""The arm that is the run itself."""


def fitness(tables: Tables, width: float = WIDE) -> Figure:
    """Mean fitness of every arm and the best agent's in the run, over generations."""
    with styled():
        figure, axes = canvas(width)
        for arm, rows in _arms(tables):
            x = _values(rows, "generation")
            _line(axes, x, _values(rows, "fitness_mean"), f"{arm}: mean", arm_style(arm))
            if arm == RUN:
                best = {**arm_style(arm), "linestyle": DASHED, "linewidth": 1.4}
                _line(axes, x, _values(rows, "fitness_max"), f"{arm}: max", best)
        axes.set_ylabel("fitness")
        _share_axis(axes)
        return _finish(figure, [axes], tables)


def error(tables: Tables, width: float = WIDE) -> Figure:
    """Gold error of every arm, what voting would do without selection, and the recurrence."""
    with styled():
        figure, axes = canvas(width, height=4.2)
        for arm, rows in _arms(tables):
            x = _values(rows, "generation")
            if arm == RUN:
                low, high = _values(rows, "gold_error_low"), _values(rows, "gold_error_high")
                axes.fill_between(x, low, high, color=arm_style(arm)["color"], alpha=0.18, lw=0)
                if len(x) == 1:
                    axes.vlines(x, low, high, color=arm_style(arm)["color"], alpha=0.5)
            label = f"{arm}, 95 % interval" if arm == RUN else arm
            _line(axes, x, _values(rows, "gold_error"), label, arm_style(arm))
        for arm, rows in _arms(tables):
            if arm == "unselected":
                x, size = _values(rows, "generation"), int(rows["agents"][0])
                best, majority = _values(rows, "best_of_n_error"), _values(rows, "majority_error")
                _line(axes, x, best, f"unselected: best of {size}", BEST_OF)
                _line(axes, x, majority, f"unselected: majority of {size}", MAJORITY)
        rows = _arm(tables["generations"], RUN)
        predicted = predicted_errors(rows)
        x = _values(rows, "generation")[: len(predicted)]
        _line(axes, x, predicted, "predicted by the recurrence", PREDICTED)
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
    for tpr, fpr in zip(_values(generations, "tpr"), _values(generations, "fpr"), strict=True):
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
        rows = _arm(tables["generations"], RUN)
        x = _values(rows, "generation")
        for column, label, style in (
            ("tpr", "TPR: right answers accepted", {"color": BLUE, "marker": "o"}),
            ("fpr", "FPR: wrong answers accepted", {"color": ORANGE, "marker": "s"}),
            ("youden_j", "J = TPR − FPR", {**PREDICTED, "marker": "D"}),
        ):
            _line(axes, x, _values(rows, column), label, style)
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.set_ylabel("share, or difference of shares")
        lowest = min([0.0, *(_extremes(line)[0] for line in _drawn(axes))])
        axes.set_ylim(lowest * 1.1 - 0.03, 1.03)
        return _finish(figure, [axes], tables)


def diversity(tables: Tables, width: float = WIDE) -> Figure:
    """What is left of the founders' diversity in the run, and its effective size."""
    with styled():
        figure, left, right = two_panels(width)
        rows = _arm(tables["generations"], RUN)
        x = _values(rows, "generation")
        for column, label, style in (
            ("genotypes", "genotypes", {"color": ORANGE, "marker": "s"}),
            ("lineages", "lineages", {"color": BLUE, "marker": "o"}),
            ("lineage_diversity", "lineages, Hill number q = 1", {**BEST_OF, "marker": "^"}),
        ):
            _line(left, x, _values(rows, column), label, style)
        style = {"color": PINK, "marker": "D"}
        _line(right, x, _values(rows, "effective_size"), "effective size", style)
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


def founders(tables: Tables, width: float = WIDE) -> Figure:
    """Muller plot of the run: share of the living that descend from each founder."""
    with styled():
        figure, axes = canvas(width, height=3.8)
        shares = founder_shares(tables["agents"])
        if shares:
            names, x = list(shares), np.arange(len(next(iter(shares.values()))))
            by_size = sorted(names, key=lambda f: (-shares[f][-1], -max(shares[f]), f))
            fills = dict(zip(by_size, FOUNDERS, strict=False))
            greys = cycle(OTHER_FOUNDERS)
            axes.stackplot(
                x,
                *[shares[name] for name in names],
                colors=[fills.get(name) or next(greys) for name in names],
                edgecolor=PAPER,
                linewidth=0.8,
            )
            word = "" if width < 5 else "founder "
            _label_shares(axes, {name: shares[name][-1] for name in names}, len(x) - 1, word)
        else:
            _say_undefined(axes)
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axes.set_ylabel("share of the living, by founder")
        axes.grid(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.margins(x=0)
        if width < 5:
            axes.set_xlabel("start of generation; last: after the end")
        else:
            axes.set_xlabel("generation, at its start; the last column is after the last selection")
        return figure


def founder_shares(agents: pl.DataFrame) -> dict[int, list[float]]:
    """Share of the run's living agents by founder.

    Returns
    -------
    dict
        Founder → float [G + 1]: at the start of each of the G generations, and after the last
        one's selection. Founders in order of their ids; empty where there are no agents.
    """
    rows = _arm(agents, RUN)
    generations = rows["generation"].unique().sort().to_list()
    if not generations:
        return {}
    living = [rows.filter(pl.col("generation") == g) for g in generations]
    counts = [dict(now.group_by("founder").len().iter_rows()) for now in living]
    last = living[-1].group_by("founder").agg(pl.col("offspring").sum())
    counts.append(dict(last.iter_rows()))
    names = sorted(set().union(*counts))
    return {
        name: [count.get(name, 0) / max(sum(count.values()), 1) for count in counts]
        for name in names
    }


def price(tables: Tables, width: float = WIDE) -> Figure:
    """Price's two parts of each change of the run's mean gold error."""
    with styled():
        figure, axes = canvas(width)
        rows = _arm(tables["generations"], RUN)
        x = np.array(_values(rows, "generation"))
        parts = {
            "selection": (np.array(_values(rows, "price_selection")), BLUE, -0.19, ""),
            "transmission": (np.array(_values(rows, "price_transmission")), ORANGE, 0.19, "//"),
        }
        known = np.ones(len(x), dtype=bool)
        for label, (values, colour, shift, hatch) in parts.items():
            finite = np.isfinite(values)
            known &= finite
            if finite.any():
                axes.bar(
                    x[finite] + shift,
                    values[finite],
                    width=0.36,
                    color=colour,
                    edgecolor=PAPER,
                    linewidth=0,
                    hatch=hatch,
                    label=label,
                )
        if known.any():
            total = np.sum([values for values, *_ in parts.values()], axis=0)
            axes.plot(
                x[known], total[known], "D", color=INK, markersize=6, label="sum: change of error"
            )
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.set_ylabel("change since the generation before")
        return _finish(figure, [axes], tables)


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
            _say_undefined(axes)
        handles += more_handles
        labels += more_labels
    if handles:
        narrow = figure.get_size_inches()[0] < 5
        columns = 1 if narrow else min(len(handles), 3)
        figure.legend(handles, labels, loc="outside lower center", ncols=columns)
        if narrow:
            extra = 0.21 * max(len(handles) - 1, 0)
            figure.set_size_inches(*(figure.get_size_inches() + np.array([0.0, extra])))
    return figure


def _say_undefined(axes: Axes) -> None:
    axes.text(0.5, 0.5, "undefined", transform=axes.transAxes, ha="center", color=MUTED)


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


def _label_shares(axes: Axes, shares: dict[int, float], x: int, word: str) -> None:
    """Names the founders that are left, at the right edge, the tall bands only."""
    base = 0.0
    for name, share in shares.items():
        if share >= 0.045:
            axes.annotate(
                f"{word}{name}",
                (x, base + share / 2),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
            )
        base += share


def _line(axes: Axes, x: Values, y: Values, label: str, style: Style) -> None:
    """A line over what is finite; nothing, and no legend entry, where nothing is."""
    values = np.where(np.isfinite(y), y, np.nan) if len(y) else np.array([])
    if np.isfinite(values).any():
        axes.plot(x, values, label=label, **style)


def _arm(table: pl.DataFrame, arm: str) -> pl.DataFrame:
    return table.filter(pl.col("arm") == arm).sort("generation")


def _arms(tables: Tables) -> list[tuple[str, pl.DataFrame]]:
    table = tables["generations"]
    names = table["arm"].unique(maintain_order=True).to_list()
    return [(name, _arm(table, name)) for name in names]


def _values(rows: pl.DataFrame, column: str) -> list[float]:
    return rows[column].cast(pl.Float64).fill_null(float("nan")).to_list()
