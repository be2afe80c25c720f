"""`mgptn models`: the bundled models, how each was made, and what its card says first."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path

from rich.table import Table

from agents.checkpoints import bundled_models, find_checkpoint
from experiments.cards.card import CARD, Card, Estimate, read_card


def models_table() -> Table:
    """A row for each bundled model: size, context, training, and its card's main figures.

    Errors, TPR and FPR are of its own answers, as far as they reach over the card's tasks.

    Raises
    ------
    CardError
        If a card cannot be read.
    """
    table = Table(
        *("model", "parameters", "context", "tokens seen", "loss: answers, levels", "weights"),
        *("tasks", "error", "TPR", "FPR"),
    )
    for name in bundled_models():
        checkpoint = find_checkpoint(name)
        made = json.loads((checkpoint.folder / "training.json").read_text())
        table.add_row(
            name,
            f"{made['parameters']:,}",
            str(checkpoint.context_tokens),
            f"{made['tokens']:,}",
            f"{made['answer_loss']:.3f}, {made['level_loss']:.3f}",
            checkpoint.weights[:16],
            *_card_cells(checkpoint.folder, checkpoint.weights),
        )
    return table


def _card_cells(folder: Path, weights: str) -> tuple[str, str, str, str]:
    """How many tasks a card has, and the spans over them of error, TPR and FPR."""
    path = folder / CARD
    if not path.exists():
        return ("no card", "", "", "")
    card = read_card(path)
    if card.provenance.weights != weights:
        return ("other weights' card", "", "", "")
    tasks = card.tasks.values()
    rates = [task.grading.own.rates[-1] for task in tasks]
    return (
        _tasks(card),
        _span([task.answering.sampled for task in tasks]),
        _span([at.tpr for at in rates]),
        _span([at.fpr for at in rates]),
    )


def _tasks(card: Card) -> str:
    sizes: dict[str, list[str]] = {}
    for task in card.tasks.values():
        sizes.setdefault(task.task, []).append(str(task.size))
    return ", ".join(f"{name} {'/'.join(of)}" for name, of in sizes.items())


def _span(estimates: list[Estimate]) -> str:
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    return f"{min(values):.2f} – {max(values):.2f}" if values else "undefined"
