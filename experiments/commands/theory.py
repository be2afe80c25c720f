"""`mgptn theory`: what the closed forms say, and whether simulated populations do it.

Only the command line; heavy imports happen inside the commands, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mgptn.experiments.commands.parts import FOLDER, console, loading, say

OUT = click.option("--out", type=FOLDER, help="Folder for a figure.")
SEED = click.option("--seed", type=int, default=0, show_default=True)


@click.group()
def theory() -> None:
    """Hold theory and simulated populations against each other."""


@theory.command()
@click.option("--error", type=float, required=True, help="Error rate at the start.")
@click.option("--tpr", type=float, required=True, help="Rate of accepting right answers.")
@click.option("--fpr", type=float, required=True, help="Rate of accepting wrong ones.")
@click.option("--rounds", type=int, default=12, show_default=True)
@click.option("--target", type=float, default=0.01, show_default=True, help="Error to reach.")
@click.option("--agents", type=int, default=1000, show_default=True)
@click.option("--problems", type=int, default=64, show_default=True, help="Per agent and round.")
@click.option(
    "--graders", type=int, default=1, show_default=True, help="Independent; all must accept."
)
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
@click.option("--fitness", type=float, required=True, help="Of the mutant, residents having 1.")
@click.option("--size", type=int, required=True, help="Agents in the population.")
@click.option(
    "--process",
    type=click.Choice(["moran", "wright-fisher", "death-birth"]),
    default="moran",
    show_default=True,
)
@click.option("--trials", type=int, default=20_000, show_default=True)
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
@click.option("--superiority", type=float, required=True, help="The master's fitness over others'.")
@click.option("--length", type=int, required=True, help="Sites of a sequence.")
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
@click.option("--positions", "count", type=click.IntRange(min=1), default=200, show_default=True)
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
