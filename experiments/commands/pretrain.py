"""`mgptn pretrain`: train a rung of the ladder.

Only the command line; heavy imports happen inside the command, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mgptn.experiments.commands.interrupts import leaving_at_once
from mgptn.experiments.commands.parts import console, interrupted, loading


@click.command()
@click.option("--rung", required=True, help="Which rung, such as gpt-3.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the model.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), help="Of training [the rung's own number].")
@click.option(
    "--skills",
    type=click.Choice(["four", "dense"]),
    help="Four kinds of writers, or every writer's skill another [four].",
)
@click.option("--grown-from", metavar="MODEL", help="Begin as this smaller model [at random].")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another field of the recipe, such as documents=32.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
@click.option("--threads", type=click.IntRange(min=1), help="Of arithmetic on a CPU [all].")
@click.option("--compile/--no-compile", "compiled", default=True, help="Use torch.compile.")
def pretrain(
    out: Path,
    changes: tuple[str, ...],
    device: str,
    threads: int | None,
    compiled: bool,
    **fields: Any,
) -> None:
    """Train a rung of the ladder; resumable."""
    with leaving_at_once():
        from mgptn.experiments.commands.training import read_recipe, train

    recipe = read_recipe({k: v for k, v in fields.items() if v is not None}, changes)
    with loading():
        import mgptn.agents.training.pretrain  # noqa: F401
    try:
        train(recipe, out, console(), device, threads, compiled)
    except KeyboardInterrupt:
        interrupted("The same command carries on from the checkpoint.")
