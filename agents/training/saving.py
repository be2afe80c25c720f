"""The checkpoint of a rung under training: written whole or not at all, read back to the bit."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mgptn.agents.files import write_whole
from mgptn.agents.training.corpus import OwnAnswers, Pool
from mgptn.agents.training.recipe import Recipe
from mgptn.agents.training.trainer import Trainer
from mgptn.protocols.tasks.bundled import Problems

CHECKPOINT = "checkpoint.pt"
LOG = "training.jsonl"


def restore(trainer: Trainer, folder: Path) -> bool:
    """Load the folder's checkpoint; False if there is none.

    Raises
    ------
    ValueError
        If it is of another recipe.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return False
    saved: dict[str, Any] = torch.load(path, weights_only=True)
    recipe = asdict(trainer.recipe)
    theirs = asdict(Recipe(trainer.recipe.rung)) | saved["recipe"]  # fields newer than the file
    if differing := [k for k, v in recipe.items() if theirs[k] != v]:
        raise ValueError(
            f"{path}: expected a checkpoint of this recipe, got one that differs in "
            f"{', '.join(differing)}; choose another --out or delete the folder"
        )
    _forget_reports(folder / LOG, int(saved["step"]))
    trainer.model.load_state_dict(saved["model"])
    trainer.optimizers.load_state_dict(saved["optimizers"])
    trainer.step = int(saved["step"])
    trainer.parent = saved.get("parent")
    trainer.pool = _read_pool(saved["pool"])
    return True


def _forget_reports(log: Path, step: int) -> None:
    """Take out of the log what came after a step, for it comes again."""
    if log.exists():
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        log.write_text("".join(kept), encoding="utf-8")


def save(trainer: Trainer, folder: Path) -> None:
    """Write the checkpoint beside the old one, then put it in its place."""
    saved = {
        "recipe": asdict(trainer.recipe),
        "step": trainer.step,
        "parent": trainer.parent,
        "model": trainer.model.state_dict(),
        "optimizers": trainer.optimizers.state_dict(),
        "pool": _write_pool(trainer.pool),
    }
    write_whole(folder / CHECKPOINT, partial(torch.save, saved))


def _write_pool(pool: Pool | None) -> list[Any] | None:
    """The model's own answers, as what a checkpoint may hold."""
    if pool is None:
        return None
    return [
        (
            name,
            size,
            own.right,
            torch.from_numpy(own.problems.fields),
            torch.from_numpy(own.problems.references),
            torch.from_numpy(own.answers),
        )
        for (name, size), own in pool.items()
    ]


def _read_pool(saved: list[Any] | None) -> dict[tuple[str, int], OwnAnswers] | None:
    if saved is None:
        return None
    return {
        (name, size): OwnAnswers(
            Problems(fields.numpy(), references.numpy()), answers.numpy(), right
        )
        for name, size, right, fields, references, answers in saved
    }
