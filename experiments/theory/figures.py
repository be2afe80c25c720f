"""Figures of `mgptn theory`: a line of theory, and what was simulated, in the reports' style."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mgptn.experiments.figures.style import (
    ARM_STYLES,
    INK,
    PREDICTED,
    REFERENCE,
    WIDE,
    canvas,
    styled,
)
from mgptn.experiments.theory.closed_forms import Band, Chaining, Fixation, Values
from mgptn.experiments.theory.threshold import Threshold, infinite_distance, nearly_stationary
from mgptn.population.theory.fixation import PROCESSES
from mgptn.population.theory.quasispecies import hamming_stationary

SIMULATED = [{k: s[k] for k in ("color", "marker")} for s in ARM_STYLES.values()]
"""Colours and markers of simulations, in the order of the reports' arms."""


def draw_chaining(found: Chaining) -> Figure:
    """Error by round, and its odds: the recurrence, one buffer for all agents, a buffer each."""
    with styled():
        figure = Figure(figsize=(WIDE, 4.2))
        left, right = figure.subplots(1, 2)
        rounds = np.arange(len(found.errors))
        drawn = [_odds(found.errors)]
        for band, label, style in (
            (found.own, f"a buffer each ({found.agents} agents): mean", SIMULATED[1]),
            (found.shared, "one shared buffer: median", SIMULATED[0]),
        ):
            label = f"{label}, 95 % interval"
            left.fill_between(rounds, band.low, band.high, color=style["color"], alpha=0.16, lw=0)
            left.plot(rounds, band.middle, label=label, **style)
            right.plot(rounds, _odds(band.middle), **style)
            drawn.append(_odds(band.middle))
        left.plot(rounds, found.errors, label="recurrence", **PREDICTED)
        right.plot(rounds, _odds(found.errors), **PREDICTED)
        left.axhline(found.target, label=f"target {found.target:g}", **REFERENCE)
        if 0.0 < found.target < 1.0:
            right.axhline(found.target / (1.0 - found.target), **REFERENCE)
        left.set_ylim(0, min(1.02, 1.08 * max(found.own.high.max(), found.errors.max(), 0.05)))
        left.set_ylabel("error")
        right.set_ylabel("odds of error")
        right.set_yscale("log")
        if np.isfinite(drawn).any():
            right.set_ylim(np.nanmin(drawn) / 3, np.nanmax(drawn) * 3)
        for band, style in ((found.own, SIMULATED[1]), (found.shared, SIMULATED[0])):
            # Bounds of 0 and 1 lie beyond the axis.
            bounds = [_odds(bound.clip(1e-15, 1.0 - 1e-15)) for bound in (band.low, band.high)]
            right.fill_between(rounds, *bounds, color=style["color"], alpha=0.16, lw=0)
        for axes in (left, right):
            axes.set_xlabel("round")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        tpr, fpr = found.rates
        return _finish(figure, left, f"Iterative classification: TPR {tpr:.4g}, FPR {fpr:.4g}")


def _odds(errors: Values) -> Values:
    """Odds that a logarithmic axis can show; NaN where they are 0 or infinite."""
    inner = np.where((errors > 0.0) & (errors < 1.0), errors, np.nan)
    return np.asarray(inner / (1.0 - inner), dtype=np.float64)


def draw_fixation(found: Fixation, curve: list[Fixation]) -> Figure:
    """Fixation probability against relative fitness: exact line, simulated points."""
    with styled():
        figure, axes = canvas(WIDE, 4.2)
        fitness = np.array([point.relative_fitness for point in curve])
        # A Wright–Fisher chain of 1000 takes a sixth of a second.
        line = np.geomspace(fitness[0], fitness[-1], 61 if found.size <= 300 else 13)
        exact = [PROCESSES[found.process].exact(float(r), found.size) for r in line]
        axes.plot(line, exact, color=INK, label=f"{found.process}, exact")
        style = SIMULATED[0]
        share = np.array([point.share for point in curve])
        below = [point.share - point.low for point in curve]
        above = [point.high - point.share for point in curve]
        axes.errorbar(
            fitness,
            share,
            yerr=np.maximum([below, above], 0.0),
            fmt=style["marker"],
            color=style["color"],
            elinewidth=1.4,
            label=f"{found.trials} trials each, Wilson's 95 % interval",
        )
        axes.axhline(1.0 / found.size, label=f"neutral, 1/N = {1 / found.size:.4g}", **REFERENCE)
        axes.set(xlabel="relative fitness of the mutant", ylabel="fixation probability")
        axes.set_ylim(bottom=-0.02 * max(exact))
        return _finish(figure, axes, f"Fixation of one mutant among {found.size}")


def draw_threshold(found: Threshold) -> Figure:
    """The master's share, and the mean distance from it, against the error rate."""
    with styled():
        figure = Figure(figsize=(WIDE, 4.0))
        left, right = figure.subplots(1, 2)
        scale = found.error_rates / found.threshold
        line = np.linspace(0.0, found.error_rates[-1], 201)
        exact = [hamming_stationary(found.superiority, found.length, float(x)).master for x in line]
        nearly = nearly_stationary(found.superiority, found.length, line)
        sparse = np.linspace(0.0, found.error_rates[-1], 81)
        far = [infinite_distance(found.superiority, found.length, float(x)) for x in sparse]
        right.plot(sparse / found.threshold, far, color=INK)
        left.plot(line / found.threshold, exact, color=INK, label="infinite population, exact")
        left.plot(line / found.threshold, nearly, label="without back mutation", **PREDICTED)
        for i, size in enumerate(found.masters):
            style = SIMULATED[i % len(SIMULATED)]
            _points(left, scale, found.masters[size], style, f"N = {size}")
            _points(right, scale, found.distances[size], style, "")
        right.axhline(0.5, **REFERENCE)
        right.annotate("master forgotten", (0.03, 0.51), xycoords=("axes fraction", "data"))
        left.set_ylabel("share of the master")
        right.set_ylabel("mean distance from the master / L")
        right.set_ylim(0, 0.56)
        left.set_ylim(bottom=-0.02)
        for axes in (left, right):
            axes.axvline(1.0, **REFERENCE)
            axes.set_xlabel("error rate per site / threshold")
            axes.set_xlim(left=0)
        title = f"Error threshold: superiority {found.superiority:g}, {found.length} sites"
        return _finish(figure, left, title)


def _points(axes: Axes, x: Values, band: Band, style: dict[str, str], label: str) -> None:
    axes.errorbar(
        x,
        band.middle,
        yerr=band.high - band.middle,
        fmt=style["marker"],
        color=style["color"],
        markerfacecolor="none",
        markersize=7,
        elinewidth=1.4,
        label=label,
    )


def _finish(figure: Figure, axes: Axes, title: str) -> Figure:
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11.5, fontweight="bold", color=INK)
    return figure
