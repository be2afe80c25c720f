"""What to measure, where to put it, and how far a measurement has come."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mgptn.agents.checkpoints import BUNDLED, find_checkpoint
from mgptn.agents.training.corpus import MIXTURE
from mgptn.experiments.cards.card import CardError


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure: a model, on which tasks, with how many problems, and which graders."""

    model: str
    problems: int = 2000
    seed: int = 0
    tasks: tuple[tuple[str, int], ...] = tuple(MIXTURE)
    graders: tuple[str, ...] = ()
    threads: int = 1
    command: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a task that is about to be measured, or with an empty part, one that is done."""

    task: str
    part: str
    done: int
    total: int


def task_name(task: tuple[str, int]) -> str:
    """``addition:2``."""
    return f"{task[0]}:{task[1]}"


def parse_tasks(names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Tasks of the corpus by name and size; all of them for no names.

    Raises
    ------
    CardError
        If the corpus has no such task.
    """
    known = {task_name(task): task for task in MIXTURE}
    for name in names:
        if name not in known:
            raise CardError(f"--task: expected one of {', '.join(known)}, got {name!r}")
    return tuple(known[name] for name in dict.fromkeys(names)) or tuple(MIXTURE)


def card_folder(model: str, out: Path | None) -> Path:
    """Where a card is written: `out`, or beside a bundled model's weights.

    Raises
    ------
    CardError
        If there is no `out` and the model is not bundled.
    """
    if out is not None:
        return out
    folder = find_checkpoint(model).folder
    if not folder.is_relative_to(BUNDLED):
        raise CardError(f"--out: expected a folder, since {model!r} is not a bundled model")
    return folder
