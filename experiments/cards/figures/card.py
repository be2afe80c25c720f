"""A card's figures, one for each group of measurements, as SVG beside it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mgptn.experiments.cards.card import Card
from mgptn.experiments.cards.figures.drawing import (
    aside,
    called,
    finish,
    label_panels,
    panels,
    points,
    task_axis,
    wide,
)
from mgptn.experiments.cards.figures.grading import contexts, correlation, exchange, grading, levels
from mgptn.experiments.figures.style import PREDICTED, REFERENCE, look, styled, write_figure


def answers(card: Card) -> Figure:
    """Zero-shot error, sampled and greedy, and what a persona does to it."""
    figure, axes = wide()
    x = task_axis(axes, card)
    tasks = list(card.tasks.values())
    rows = {
        "sampled": [task.answering.sampled for task in tasks],
        "greedy": [task.answering.greedy for task in tasks],
    }
    shown = [task.answering.personas for task in tasks]
    for persona in dict.fromkeys(p.persona for known in shown if known for p in known):
        if persona is not None:
            rows[persona] = [
                next(p.error for p in known or () if p.persona == persona) for known in shown
            ]
            bayes = next(p.bayes for known in shown for p in known or () if p.persona == persona)
            axes.axhline(bayes, color=look(list(rows).index(persona))["color"], lw=0.9, ls=":")
    for place, (name, estimates) in enumerate(rows.items()):
        points(axes, x + aside(place, len(rows)), estimates, name, **look(place))
    axes.axhline(0.5, **REFERENCE)
    guess = [1 - task.chance for task in tasks]
    axes.plot(
        x, guess, ls="none", marker="_", ms=26, color=PREDICTED["color"], label="random answers"
    )
    axes.set(ylim=(-0.02, 1.02), ylabel="error without a context")
    return finish(figure, axes, f"{called(card)}: answers (dotted, dashed: Bayes)", 5)


def adaptation(card: Card) -> Figure:
    """Error after examples against the share of wrong ones, beside exact Bayes."""
    figure, grid = panels(card)
    for axes, task in zip(grid, card.tasks.values(), strict=True):
        for place, examples in enumerate(dict.fromkeys(cell.examples for cell in task.adaptation)):
            cells = [cell for cell in task.adaptation if cell.examples == examples]
            x = [cell.wrong / cell.examples for cell in cells]
            style = look(place)
            axes.plot(x, [c.bayes for c in cells], color=style["color"], ls=(0, (1, 1.6)), lw=1.4)
            label = f"{examples} example{'s' if examples > 1 else ''}"
            points(axes, x, [c.error for c in cells], label, **style)
        axes.axhline(1 - task.chance, **REFERENCE)
        axes.set(ylim=(-0.02, 1.02), xlim=(-0.06, 1.06))
    label_panels(figure, grid, "share of wrong examples in the context", "error")
    title = f"{called(card)}: adaptation (dotted: exact Bayes; dashed: random answers)"
    return finish(figure, grid[0], title)


def repeated(card: Card) -> Figure:
    """pass@k against k."""
    figure, axes = wide()
    for place, (name, task) in enumerate(card.tasks.items()):
        at = task.answering.pass_at_k
        draws = [one.draws * 2.0 ** aside(place, len(card.tasks), 0.3) for one in at]
        style = {**look(place), "linestyle": "-", "linewidth": 1.2}
        points(axes, draws, [one.passed for one in at], name, **style)
    axes.set_xscale("log", base=2)
    axes.set(ylim=(-0.02, 1.02), xlabel="samples k", ylabel="pass@k")
    return finish(figure, axes, f"{called(card)}: repeated sampling", 5)


def requested(card: Card) -> Figure:
    """Error where each survey level is asked for first."""
    figure, grid = panels(card)
    for axes, task in zip(grid, card.tasks.values(), strict=True):
        at = task.answering.requested or ()
        x = np.arange(len(at))
        points(axes, x, [one.error for one in at], "measured", **look(0))
        axes.plot(x, [one.bayes for one in at], label="exact Bayes", **PREDICTED)
        axes.axhline(1 - task.chance, label="random answers", **REFERENCE)
        axes.set_xticks(x, labels=[str(i + 1) for i in x])
        axes.set_ylim(-0.02, 1.02)
        if task.answering.falls is None:
            axes.annotate("absent", (0.5, 0.5), xycoords="axes fraction", ha="center")
        elif not task.answering.falls:
            axes.annotate("does not fall throughout", (0.03, 0.06), xycoords="axes fraction")
    label_panels(figure, grid, "survey level asked for, from 1, “not at all”", "error")
    return finish(figure, grid[0], f"{called(card)}: score conditioning")


FIGURES: dict[str, Callable[[Card], Figure]] = {
    "answers": answers,
    "adaptation": adaptation,
    "grading": grading,
    "exchange": exchange,
    "correlation": correlation,
    "pass-at-k": repeated,
    "levels": levels,
    "contexts": contexts,
    "requested": requested,
}
"""File name → figure."""


def write_card_figures(card: Card, folder: Path, form: str = "svg") -> list[Path]:
    """Draw a card into a folder, on white: ``card-<name>.svg``.

    The exchange is left out where there were no other graders, and so is all of an empty card.
    """
    paths = []
    exchanged = any(task.exchanges for task in card.tasks.values())
    for name, draw in FIGURES.items() if card.tasks else ():
        if name == "exchange" and not exchanged:
            continue
        with styled():
            path = folder / f"card-{name}.{form}"
            write_figure(draw(card), path, dots=100)
        paths.append(path)
    return paths
