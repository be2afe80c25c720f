"""The figure of simulacra: whom probes tell by layer, and what is seen of a takeover."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.numbers import Number
from mgptn.experiments.figures.style import (
    BLUE,
    DASHED,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    REFERENCE,
    WIDE,
    Style,
    styled,
    write_figure,
)

AREAS = "Area where saboteurs are right"
TESTS: dict[str, Style] = {
    "told": {"color": GREY, "marker": "D"},
    "another persona": {"color": GREEN, "marker": "v"},
    "not told": {"color": BLUE, "marker": "o", "linewidth": 2.4},
    "of their like": {"color": ORANGE, "marker": "s"},
}
MONITORS: dict[str, tuple[str, Style]] = {
    "saboteurs": ("saboteurs", {"color": INK}),
    "probe": ("suspicious to the probe", {"color": BLUE}),
    "grades": ("grades withheld", {"color": PINK}),
    "gold": ("errors", {"color": ORANGE}),
    "apart": ("disagreement", {"color": GREEN}),
}


def draw_simulacra(finding: Finding, path: Path) -> Path:
    """Three panels: areas by layer, a takeover, and generations before each alarm."""
    with styled():
        figure = Figure(figsize=(1.5 * WIDE, 4.0))
        areas, taken, alarms = figure.subplots(1, 3, width_ratios=(1.1, 1.2, 0.9))
        _draw_areas(areas, finding)
        for monitor, (label, look) in MONITORS.items():
            values = finding.curves[f"takeover: {monitor}"]
            taken.plot(range(len(values)), values, marker="o", markersize=3, label=label, **look)
            taken.plot(
                range(len(values)), finding.curves[f"honest: {monitor}"], linestyle=DASHED, **look
            )
        taken.set_xlabel("generation")
        taken.xaxis.set_major_locator(MaxNLocator(integer=True))
        taken.set_ylim(-0.02, 1.02)
        taken.set_title("taken over (dashed: honest populations)", fontsize=9)
        taken.legend(fontsize=7, loc="center right", bbox_to_anchor=(1.0, 0.76))
        rows = finding.numbers["Generations before an alarm"]
        for row, number in enumerate(rows):
            _bar(alarms, row, number, BLUE if number.name == "by the probe" else GREY)
        alarms.set_yticks(range(len(rows)), [number.name for number in rows])
        alarms.invert_yaxis()
        alarms.set_xlabel("generations before an alarm")
        alarms.set_xlim(left=0.0)
        write_figure(figure, path)
    return path


def _bar(axes: Any, row: int, number: Number, colour: str) -> None:
    axes.plot([number.low, number.high], [row, row], color=colour)
    axes.plot(number.value, row, "o", color=colour, markersize=5)


def _draw_areas(axes: Any, finding: Finding) -> None:
    numbers = {number.name: number for number in finding.numbers[AREAS]}
    for shift, (test, look) in enumerate(TESTS.items()):
        found = [
            number
            for name, number in numbers.items()
            if name.startswith(f"{test}: ") and "shuffled" not in name and "text" not in name
        ]
        places = [1 + place + 0.08 * (shift - 1.5) for place in range(len(found))]
        text = numbers[f"{test}: the text alone"]
        axes.plot(0.08 * (shift - 1.5), text.value, color=look["color"], marker="x", markersize=6)
        axes.errorbar(
            places,
            [number.value for number in found],
            yerr=[
                [max(0.0, number.value - number.low) for number in found],
                [max(0.0, number.high - number.value) for number in found],
            ],
            markersize=4,
            label=test,
            **look,
        )
    axes.axhline(0.5, **REFERENCE)
    later = [f"layer {place}" for place in range(1, len(found))]
    axes.set_xticks(range(len(found) + 1), ["text", "embed-\ndings", *later])
    axes.set_ylim(0.0, 1.02)
    axes.set_ylabel("area under the curve")
    axes.set_title("saboteurs told where they are right", fontsize=9)
    axes.legend(fontsize=7, loc="lower left")
