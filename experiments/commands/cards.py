"""Measuring and verifying on a console: progress with the time left, and one line a finding."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mgptn.agents.checkpoints import bundled_models
from mgptn.experiments.cards.card import CARD, Card, read_card
from mgptn.experiments.cards.measure import measure
from mgptn.experiments.cards.parts import THRESHOLDS, Estimate
from mgptn.experiments.cards.request import Request, card_folder
from mgptn.experiments.cards.verify import FALSE_ALARM, models_of, verify


def measure_shown(request: Request, out: Path | None, figures: bool, console: Console) -> None:
    """Measure a card, show how it goes, and then its main figures."""
    folder = card_folder(request.model, out)
    began = time.perf_counter()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    with bar:
        shown = bar.add_task(f"{request.model}: loading", total=None)
        for step in measure(request, folder):
            said = f"{request.model} {step.task} {step.part}".rstrip()
            bar.update(shown, description=said, completed=step.done, total=step.total)
            if not console.is_terminal and step.part:
                console.print(f"{step.done}/{step.total} {said}", highlight=False)
    card = read_card(folder / CARD)
    console.print(summary(card))
    for name, why in card.absent.items():
        console.print(f"{name} is absent: {escape(why)}", highlight=False)
    paths = [folder / CARD]
    if figures:
        from mgptn.experiments.cards.figures.card import write_card_figures

        paths += write_card_figures(card, folder)
    console.print(f"{time.perf_counter() - began:.0f} s. Written:")
    for path in paths:
        console.print(f"  {path}", highlight=False, soft_wrap=True)


def summary(card: Card) -> Table:
    """A row for each task: what matters most of it."""
    table = Table(title=f"{card.provenance.model}: own answers, threshold {THRESHOLDS[-1]}")
    table.add_column("task, problems", no_wrap=True)
    for column in ("error", "TPR", "FPR", "J", "gap to Bayes: mean, most", "mass of levels"):
        table.add_column(column)
    for name, task in card.tasks.items():
        rates = task.grading.own.rates[-1]
        gaps = [cell.gap.value or 0.0 for cell in task.adaptation if cell.gap is not None]
        table.add_row(
            f"{name}, {'all ' if task.all_held_out else ''}{task.problems}",
            shown(task.answering.sampled),
            shown(rates.tpr),
            shown(rates.fpr),
            shown(rates.youden_j),
            f"{sum(gaps) / len(gaps):.2f}, {max(gaps):.2f}" if gaps else "–",
            f"{min(mass.minimum for mass in task.levels):.3f}",
        )
    return table


def shown(estimate: Estimate) -> str:
    """A value with its interval, or why there is none."""
    if estimate.value is None:
        return estimate.note
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]".replace("[", r"\[")


def verify_shown(names: Sequence[str], console: Console) -> bool:
    """Verify models, print a line for each check, and say whether all agree."""
    agreed = True
    for name in models_of(names, bundled_models()):
        for check in verify(name):
            agreed &= check.agrees
            mark = "[green]agrees[/]" if check.agrees else "[bold red]DISAGREES[/]"
            said = escape(f"{check.model}: {check.subject}: {check.found}")
            console.print(f"{mark} {said}", highlight=False, soft_wrap=True)
    console.print(
        f"A comparison of a spot check calls a true card wrong with probability ≤ {FALSE_ALARM:g}.",
        highlight=False,
    )
    return agreed
