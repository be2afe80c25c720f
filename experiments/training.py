"""`mgptn pretrain` on a console: a progress bar with losses, tokens a second and time left."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agents.training.rungs import RUNGS
from experiments.config import ConfigError


def train(
    rung: str,
    folder: Path,
    console: Console,
    seed: int,
    steps: int,
    skills: Literal["four", "dense"],
    device: str,
    threads: int | None,
    compiled: bool,
) -> None:
    """Train a rung into a folder, showing how it goes.

    Raises
    ------
    ConfigError
        If there is no such rung, or the folder holds another recipe's checkpoint.
    """
    if rung not in RUNGS:
        raise ConfigError(f"--rung: expected one of {', '.join(RUNGS)}, got {rung!r}")
    from agents.training.pretrain import pretrain
    from agents.training.recipe import Recipe

    recipe = Recipe(rung=rung, seed=seed, steps=steps, skills=skills)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
        console=console,
    )
    try:
        with bar:
            shown = bar.add_task(f"{rung}, seed {seed}", total=recipe.steps, said="compiling …")
            for progress in pretrain(
                recipe, folder, device=device, threads=threads, compile_model=compiled
            ):
                left = round(progress.seconds_left)
                said = (
                    f"loss: answers {progress.answer_loss:.3f}, levels {progress.level_loss:.3f} · "
                    f"{progress.tokens_per_second:,.0f} tokens/s · "
                    f"{left // 60}:{left % 60:02d} left"
                )
                bar.update(shown, completed=progress.step, said=said)
                if not console.is_terminal and progress.step % 100 == 0:
                    console.print(f"{progress.step}/{progress.steps} {said}", highlight=False)
    except ValueError as error:
        raise ConfigError(f"--out {error}") from error
    console.print(f"{folder}: model, tokenizer, training.json and training.jsonl written.")
