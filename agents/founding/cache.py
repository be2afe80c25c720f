"""Founders on this machine: trained once, by whoever needs them first."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mgptn.agents.checkpoints import FOUNDERS, founders_folder
from mgptn.agents.founding.recipe import FounderRecipe


def folder_of(recipe: FounderRecipe, seed: int) -> Path:
    """Where a founder lies."""
    return founders_folder() / recipe.name(seed).removeprefix(FOUNDERS)


def missing(recipe: FounderRecipe, seeds: Sequence[int]) -> list[int]:
    """Seeds of founders that are not here yet."""
    return [s for s in seeds if not (folder_of(recipe, s) / "training.json").exists()]


def train_missing(recipe: FounderRecipe, seeds: Sequence[int]) -> Iterator[int]:
    """Train those that are not here yet, each once among all processes; seeds as they are done.

    Raises
    ------
    OSError
        If the folder of founders cannot be written.
    """
    for seed in missing(recipe, seeds):
        folder = folder_of(recipe, seed)
        with _alone(folder):
            if missing(recipe, [seed]):
                from mgptn.agents.founding.train import train_founder

                train_founder(recipe, seed, folder)
        yield seed


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While another process trains the same founder, wait."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
