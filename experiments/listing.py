"""`mgptn models`: the bundled models, and how each was made."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json

from rich.table import Table

from agents.checkpoints import BUNDLED, bundled_models, find_checkpoint


def models_table() -> Table:
    """A row for each bundled model: its size, training and weights hash."""
    table = Table("model", "parameters", "tokens seen", "seed", "loss: answers, levels", "weights")
    for name in bundled_models():
        checkpoint = find_checkpoint(name)
        made = json.loads((BUNDLED / name / "training.json").read_text())
        table.add_row(
            name,
            f"{made['parameters']:,}",
            f"{made['tokens']:,}",
            str(made["recipe"]["seed"]),
            f"{made['answer_loss']:.3f}, {made['level_loss']:.3f}",
            checkpoint.weights[:16],
        )
    return table
