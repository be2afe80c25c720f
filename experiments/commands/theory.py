"""`mgptn theory`: what the closed forms say, and whether simulated populations do it.

Only the command line; heavy imports happen inside the commands, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mgptn.experiments.commands.parts import FOLDER, Command, console, loading, say

OUT = click.option("--out", type=FOLDER, help="Folder for a figure.")
SEED = click.option("--seed", type=int, default=0, show_default=True, help="Of the simulation.")


def _number(name: str, usual: float, told: str) -> Callable[[Command], Command]:
    """An option with a default: a whole number where that is one."""
    return click.option(name, type=type(usual), default=usual, show_default=True, help=told)


@click.group()
def theory() -> None:
    """Hold theory and simulated populations against each other."""


@theory.command()
@_number("--error", 0.4, "Error rate at the start.")
@_number("--tpr", 0.9, "Rate of accepting right answers.")
@_number("--fpr", 0.3, "Rate of accepting wrong ones.")
@_number("--rounds", 12, "Of answers and grades.")
@_number("--target", 0.01, "Error to reach.")
@_number("--agents", 1000, "Who answer.")
@_number("--problems", 64, "Per agent and round.")
@_number("--graders", 1, "Independent; all must accept.")
@SEED
@OUT
def bootstrap(out: Path | None, **options: Any) -> None:
    """The error of agents that learn from what graders accept."""
    with loading():
        from mgptn.experiments.theory import closed_forms as compute
        from mgptn.experiments.theory.tables import print_chaining

    found = compute.compare_chaining(**options)
    print_chaining(console(), found)
    if out is not None:
        from mgptn.experiments.theory.figures import draw_chaining

        _write(draw_chaining(found), out / "bootstrap.png")


@theory.command()
@_number("--fitness", 1.1, "Of the mutant, residents having 1.")
@_number("--size", 20, "Agents in the population.")
@click.option(
    "--process",
    type=click.Choice(["moran", "wright-fisher", "death-birth"]),
    default="moran",
    show_default=True,
    help="How births and deaths follow.",
)
@_number("--trials", 20_000, "Populations that are simulated.")
@SEED
@OUT
def fixation(out: Path | None, **options: Any) -> None:
    """The probability that one mutant takes over."""
    with loading():
        from mgptn.experiments.theory import closed_forms as compute
        from mgptn.experiments.theory.tables import print_fixation

    found = compute.compare_fixation(**options)
    print_fixation(console(), found)
    if out is not None:
        from mgptn.experiments.theory.figures import draw_fixation

        curve = compute.fixation_curve(found, options["seed"])
        _write(draw_fixation(found, curve), out / "fixation.png")


@theory.command()
@_number("--superiority", 10.0, "The master's fitness over others'.")
@_number("--length", 20, "Sites of a sequence.")
@click.option(
    "--sizes",
    default="100,1000,10000",
    show_default=True,
    metavar="N,…",
    callback=lambda ctx, parameter, text: _sizes(text),
    help="Of simulated populations.",
)
@SEED
@OUT
def threshold(out: Path | None, **options: Any) -> None:
    """The error rate above which a population forgets its best sequence."""
    with loading():
        from mgptn.experiments.theory.tables import print_threshold
        from mgptn.experiments.theory.threshold import compare_threshold

    found = compare_threshold(**options)
    print_threshold(console(), found)
    if out is not None:
        from mgptn.experiments.theory.figures import draw_threshold

        _write(draw_threshold(found), out / "threshold.png")


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"expected whole numbers separated by commas, got {text!r}"
        ) from None


@theory.command()
@click.argument("models", nargs=-1)
@click.option("--size", type=click.IntRange(2, 6), default=2, show_default=True, help="Heaps.")
@click.option(
    "--noise", type=click.FloatRange(0, 1), default=0.5, show_default=True,
    help="How careless the players are whose corpus is held against.",
)  # fmt: skip
@click.option(
    "--positions", "count", type=click.IntRange(min=1), default=200, show_default=True,
    help="How many are asked of.",
)  # fmt: skip
@SEED
def play(models: tuple[str, ...], size: int, noise: float, count: int, seed: int) -> None:
    """How models play Nim: regret against exact play, and the gap to the exact predictor.

    A model is a name, or a folder such as `mgptn export-weights` writes of an evolved agent.
    """
    with loading():
        from mgptn.experiments.cards.play import compare_play, play_table

    console().print(play_table(compare_play(models, size, noise, count, seed)))


def _write(figure: Any, path: Path) -> None:
    from mgptn.experiments.figures.style import write_figure

    path.parent.mkdir(parents=True, exist_ok=True)
    write_figure(figure, path)
    say(f"Written: {path}")
