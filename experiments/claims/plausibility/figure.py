"""The figure: what tells ducks, how improbable they were, and what successes rest on."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.figures.style import (
    FOUNDERS,
    INK,
    REFERENCE,
    WIDE,
    styled,
    write_figure,
)

TOLD = "Forced digits told from sampled ones"


def draw_passes(finding: Finding, path: Path) -> Path:
    """Three panels."""
    with styled():
        figure = Figure(figsize=(1.35 * WIDE, 3.2))
        areas, scores, passes = figure.subplots(1, 3)
        _draw_areas(areas, finding)
        curves = finding.curves
        middle = curves["improbability"]
        scores.fill_between(
            middle, curves["score, lower"], curves["score, upper"], color=FOUNDERS[0], alpha=0.25
        )
        scores.plot(middle, curves["score, median"], color=FOUNDERS[0], marker="o", markersize=3)
        scores.axhline(0.0, **REFERENCE)
        scores.axhline(1.0, **REFERENCE)
        scores.set_xlabel("improbability of a forced digit (decades)")
        scores.set_ylabel("score: 0 sampled, 1 forced")
        scores.set_title("forced digits: quartiles", fontsize=9)
        attempts = curves["attempts"]
        passes.plot(attempts, curves["pass@k"], color=INK, label="pass@k")
        passes.plot(attempts, curves["broken"], color=FOUNDERS[1], label="broken, of successes")
        alarms = curves["false alarms"][0]
        passes.axhline(alarms, **{**REFERENCE, "label": "broken, of sampled passes"})
        passes.set_xscale("log")
        passes.set_xticks([10.0**k for k in (0, 2, 4, 6, 8)], ["1", "10²", "10⁴", "10⁶", "10⁸"])
        passes.minorticks_off()
        passes.set_ylim(0.0, 1.03)
        passes.set_xlabel("attempts k")
        passes.set_title("what successes rest on", fontsize=9)
        passes.legend(fontsize=7, loc="upper left")
        write_figure(figure, path)
    return path


def _draw_areas(axes: Any, finding: Finding) -> None:
    names = ("linear probe", "quadratic probe", "quadratic distance")
    for place, (name, colour) in enumerate(zip(names, FOUNDERS, strict=False)):
        numbers = [n for n in finding.numbers[TOLD] if n.name.startswith(f"area of a {name},")]
        layers = [layer + 0.08 * (place - 1) for layer in range(len(numbers))]
        values = [number.value for number in numbers]
        reach = [
            [max(0.0, number.value - number.low) for number in numbers],
            [max(0.0, number.high - number.value) for number in numbers],
        ]
        axes.errorbar(
            layers, values, yerr=reach, color=colour, marker="o", markersize=3.5, label=name
        )
    axes.axhline(0.5, **REFERENCE)
    later = [f"layer {i}" for i in range(1, len(numbers))]
    axes.set_xticks(range(len(numbers)), ["embed-\ndings", *later])
    axes.set_ylim(0.4, 1.0)
    axes.set_ylabel("area under the curve")
    axes.set_title("ducks told from sampled digits", fontsize=9)
    axes.legend(fontsize=7, loc="upper left")
