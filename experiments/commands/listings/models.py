"""`mgptn models`: the bundled models, how each was made, and what its card says first."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from mgptn.agents.checkpoints import BUNDLED, bundled_models, find_checkpoint
from mgptn.agents.training.command import made_by
from mgptn.agents.training.corpus import MIXTURE
from mgptn.experiments.cards.card import CARD, read_card
from mgptn.experiments.cards.parts import Estimate


def models_table() -> Table:
    """A row for each bundled model: size, training, and its card's main figures.

    Tokens with a + come on top of those of the model that it was grown from. Error, TPR and FPR
    are of its own answers, from the least to the greatest of the card's tasks.

    Raises
    ------
    CardError
        If a card cannot be read.
    """
    table = Table(
        caption=f"+: grown from another. Tasks of their corpus: {_tasks()}.", caption_justify="left"
    )
    for column in ("model", "parameters", "tokens", "weights", "error", "TPR", "FPR"):
        table.add_column(column, no_wrap=True)
    for name in bundled_models():
        checkpoint = find_checkpoint(name)
        made = json.loads((checkpoint.folder / "training.json").read_text(encoding="utf-8"))
        table.add_row(
            name,
            f"{made['parameters']:,}",
            f"{'+' if made.get('grown_from') else ''}{made['tokens'] / 1e6:.0f} M",
            checkpoint.weights[:8],
            *_card_cells(checkpoint.folder, checkpoint.weights),
        )
    return table


def models_made() -> Iterator[str]:
    """For each bundled model the command that made it."""
    for name in bundled_models():
        if command := made_by(BUNDLED / name, Path(name)):
            yield command


def _card_cells(folder: Path, weights: str) -> tuple[str, str, str]:
    """The spans over a card's tasks of error, TPR and FPR."""
    path = folder / CARD
    if not path.exists():
        return ("no card", "", "")
    card = read_card(path)
    if card.provenance.weights != weights:
        return ("card of other weights", "", "")
    tasks = card.tasks.values()
    rates = [task.grading.own.rates[-1] for task in tasks]
    return (
        _span([task.answering.sampled for task in tasks]),
        _span([at.tpr for at in rates]),
        _span([at.fpr for at in rates]),
    )


def _tasks() -> str:
    sizes: dict[str, list[str]] = {}
    for name, size in MIXTURE:
        sizes.setdefault(name, []).append(str(size))
    return "; ".join(f"{name} {', '.join(of)}" for name, of in sizes.items())


def _span(estimates: list[Estimate]) -> str:
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    return f"{min(values):.2f}–{max(values):.2f}" if values else "undefined"
