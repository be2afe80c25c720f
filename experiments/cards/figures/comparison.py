"""Cards as one figure: every model's errors and judgement, task by task, seed beside seed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.experiments.cards.card import CARD, Card, CardError, TaskCard, read_card
from mgptn.experiments.cards.figures.drawing import aside, points
from mgptn.experiments.cards.parts import Estimate
from mgptn.experiments.figures.style import FOUNDERS, MARKERS, REFERENCE, WIDE, styled, write_figure

ROWS = ("error, greedy", "error after right examples", "J of its own answers")


def write_comparison(names: Sequence[str], path: Path) -> None:
    """Draw the tasks that all cards have, of the models that have one; by the path's ending.

    Raises
    ------
    CheckpointError
        If there is no such model.
    CardError
        If none of the models has a card, they have no task in common, or one cannot be read.
    """
    folders = {name: find_checkpoint(name).folder / CARD for name in names}
    cards = {name: read_card(card) for name, card in folders.items() if card.exists()}
    with styled():
        write_figure(comparison(cards), path, dots=100)


def comparison(cards: dict[str, Card]) -> Figure:
    """A column for each task that all cards have, a row for each of `ROWS`, a point for each model.

    Models ``rung/seed`` stand at their rung, with the marker of their seed; others alone.
    """
    tasks = [task for card in [*cards.values()][:1] for task in card.tasks]
    tasks = [task for task in tasks if all(task in card.tasks for card in cards.values())]
    if not tasks:
        got = ", ".join(cards) or "no card"
        raise CardError(f"expected cards with a task in common, got {got}")
    figure = Figure(figsize=(1.35 * WIDE, 6.2))
    grid = figure.subplots(len(ROWS), len(tasks), sharex=True, sharey=True, squeeze=False)
    groups = list(dict.fromkeys(_group(name) for name in cards))
    for column, task in enumerate(tasks):
        grid[0, column].set_title(task)
        shown = {name: _shown(card.tasks[task]) for name, card in cards.items()}
        for row, axes in enumerate(grid[:, column]):
            _draw(axes, groups, {name: values[row] for name, values in shown.items()})
            axes.set_xticks(range(len(groups)), labels=groups, rotation=45, ha="right")
    for label, axes in zip(ROWS, grid[:, 0], strict=True):
        axes.set_ylabel(label)
        axes.set_ylim(-0.05, 1.05)
    return figure


def _draw(axes: Axes, groups: list[str], shown: dict[str, Estimate]) -> None:
    axes.axhline(0.0, **REFERENCE)
    for place, group in enumerate(groups):
        mine = [(name, value) for name, value in shown.items() if _group(name) == group]
        for number, (name, value) in enumerate(mine):
            points(
                axes,
                [place + aside(number, len(mine), 0.7)],
                [value],
                name,
                color=FOUNDERS[place % len(FOUNDERS)],
                marker=MARKERS[number % len(MARKERS)],
            )


def _shown(task: TaskCard) -> tuple[Estimate, Estimate, Estimate]:
    """What the rows show of a task, in their order."""
    most = max(cell.examples for cell in task.adaptation)
    after = next(c.error for c in task.adaptation if c.examples == most and not c.wrong)
    return task.answering.greedy, after, task.grading.own.rates[-1].youden_j


def _group(name: str) -> str:
    rung, _, seed = name.rpartition("/")
    return rung if seed.isdigit() and "/" not in rung else Path(name).name
