"""A folder of founders, a subfolder a seed: trained where they are missing, never written over."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgptn.agents.founding.recipe import FounderRecipe

MADE = "training.json"
"""What a founder's folder says of how it was trained."""


class FounderFolderError(ValueError):
    """A folder that founders cannot be put into: says what was expected and what was got."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A founder that was trained: where it lies, its last loss in nats a token, and seconds."""

    seed: int
    folder: Path
    loss: float
    seconds: float


def missing_in(folder: Path, recipe: FounderRecipe, seeds: Sequence[int]) -> list[int]:
    """Seeds of founders that are not in a folder yet.

    Raises
    ------
    FounderFolderError
        If what is there is something else: no founders, or those of another recipe.
    """
    if (folder / MADE).exists():
        raise FounderFolderError(
            f"{folder}: expected a folder of founders, a subfolder each, got a model's own"
        )
    here = [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
    for path in sorted(here, key=lambda path: int(path.name)):
        _check(path, recipe)
    there = {path.name for path in here}
    return [seed for seed in seeds if str(seed) not in there]


def train_into(folder: Path, recipe: FounderRecipe, seeds: Sequence[int]) -> Iterator[Trained]:
    """Train those that are missing, one after another, each whole or not at all.

    Raises
    ------
    FounderFolderError
        If something else is in the folder, or another process trains into it.
    OSError
        If it cannot be written.
    """
    from mgptn.agents.founding.train import train_founder

    missing_in(folder, recipe, seeds)  # before there is a folder
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        for seed in missing_in(folder, recipe, seeds):
            place = folder / str(seed)
            began = time.perf_counter()
            loss = train_founder(recipe, seed, place)
            yield Trained(seed, place, loss, time.perf_counter() - began)


def _check(path: Path, recipe: FounderRecipe) -> None:
    """Refuse what is not a founder of a recipe, and of the seed that its folder is named by."""
    try:
        made = json.loads((path / MADE).read_text(encoding="utf-8"))
        got: dict[str, Any] = {**made["recipe"], "seed": made["seed"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise FounderFolderError(
            f"{path}: expected a founder, or nothing, got no {MADE} of a founder in it"
        ) from None
    wanted = {**recipe.content(), "seed": int(path.name)}
    differing = [
        f"{name}: expected {wanted.get(name, 'nothing')}, got {got.get(name, 'nothing')}"
        for name in dict.fromkeys((*wanted, *got))
        if wanted.get(name) != got.get(name)
    ]
    if differing:
        raise FounderFolderError(f"{path}: holds another founder; {'; '.join(differing)}")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder itself, so that no file tells of it after."""
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FounderFolderError(
                f"{folder}: expected nobody else to train into it, got another process"
            ) from None
        yield
    finally:
        os.close(held)
