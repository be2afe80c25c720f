"""`mgptn pretrain` on a console: recipes read, a rung's progress bar, a line a founder."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mgptn.agents.founding.folder import missing_in, train_into
from mgptn.agents.training.command import OPTIONS
from mgptn.agents.training.recipe import Recipe
from mgptn.experiments.commands.parts import say
from mgptn.experiments.config.run_config import ConfigError, override
from mgptn.experiments.config.sections.learning import FoundersConfig
from mgptn.experiments.views.doing import doing


def read_recipe(options: dict[str, Any], changes: tuple[str, ...]) -> Recipe:
    """The recipe of a command line: options, and further ``key=value`` fields.

    Raises
    ------
    ConfigError
        With the option or field at fault, what was expected and what was got.
    """
    further: dict[str, Any] = {}
    for change in changes:
        override(further, change)
        key = change.partition("=")[0]
        if key in OPTIONS:
            raise ConfigError(f"--set {change}: expected another field; {key} has an option")
        if key not in Recipe.__dataclass_fields__:
            known = [name for name in Recipe.__dataclass_fields__ if name not in OPTIONS]
            raise ConfigError(f"--set {change}: expected one of {', '.join(known)}, got {key!r}")
    try:
        return TypeAdapter(Recipe).validate_python(options | further)
    except ValidationError as error:
        raise ConfigError(f"recipe: {_fault(error)}") from None


def read_founders(options: dict[str, Any]) -> FoundersConfig:
    """Founders as a command line describes them, by the keys of `agents.founders`.

    Raises
    ------
    ConfigError
        With the option at fault, what was expected and what was got.
    """
    try:
        return FoundersConfig.model_validate(options)
    except ValidationError as error:
        raise ConfigError(f"founders: {_fault(error)}") from None


def _fault(error: ValidationError) -> str:
    """The first thing that is wrong."""
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"]))
    said = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {said[0].lower()}{said[1:]}, got {fault['input']!r}" if where else said


def train_founders(founders: FoundersConfig, folder: Path) -> None:
    """Train founders into a folder, a line on standard error each as it is done.

    Raises
    ------
    KeyboardInterrupt
        If interrupted: what is in the folder then is whole founders.
    mgptn.agents.founding.folder.FounderFolderError
        If something else is in the folder.
    """
    waiting = missing_in(folder, founders.recipe, founders.seeds)
    for seed in founders.seeds:
        if seed not in waiting:
            say(f"founder {seed}: there already", err=True)
    coming = train_into(folder, founders.recipe, waiting)
    for place, seed in enumerate(waiting, start=1):
        with doing(f"founder {seed}: training, {place} of {len(waiting)}"):
            done = next(coming, None)
        if done is None:
            break
        say(f"founder {seed}: loss {done.loss:.4f}, {done.seconds:.1f} s", err=True)
    names = ",".join(str(folder / str(seed)) for seed in founders.seeds)
    say(f"agents.model: {names}")


def train(
    recipe: Recipe,
    folder: Path,
    console: Console,
    device: str,
    threads: int | None,
    compiled: bool,
) -> None:
    """Train a recipe into a folder, showing how it goes.

    Raises
    ------
    KeyboardInterrupt
        If interrupted: after the step under way and its checkpoint, or at once the second time.
    ConfigError
        If the folder holds another recipe's checkpoint, or the model to grow does not fit.
    """
    from mgptn.agents.training.pretrain import pretrain

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
        console=console,
    )
    try:
        with bar, _interruptible() as stopped:
            name = f"{recipe.rung}, seed {recipe.seed}"
            shown = bar.add_task(name, total=recipe.steps, said="compiling …")
            for progress in pretrain(
                recipe,
                folder,
                device=device,
                threads=threads,
                compile_model=compiled,
                stopped=stopped,
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
        if type(error).__module__.startswith("mgptn.agents."):
            raise
        raise ConfigError(str(error)) from error
    if stopped() and not (folder / "training.json").exists():
        raise KeyboardInterrupt
    console.print(f"{folder}: model, tokenizer, training.json and training.jsonl written.")


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Whether an interrupt has come, instead of the first one; the second is one."""
    asked = Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
