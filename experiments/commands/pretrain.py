"""`mgptn pretrain`: train a rung of the ladder, or founders of one task.

Only the command line; heavy imports happen inside the command, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mgptn.experiments.commands.interrupts import leaving_at_once
from mgptn.experiments.commands.parts import console, interrupted, loading, once

OF_A_RUNG = ("rung", "skills", "grown_from", "changes", "device", "compiled")
OF_FOUNDERS = (
    *("task", "sizes", "count", "layers", "width", "heads"),
    *("documents", "rate", "offsets", "places", "judging", "noise", "scale"),
)
SECTIONS = {"Of a rung": OF_A_RUNG, "Of founders": OF_FOUNDERS}
"""Heading → parameters that only one kind of training has; all others have both."""

COUNT = click.IntRange(min=1)


class _TwoKinds(click.Command):
    """A command whose help tells options of two kinds apart, and which refuses a mixture."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Those of each kind under a heading of their own."""
        records = {p.name: p.get_help_record(ctx) for p in self.get_params(ctx)}
        own = {name for names in SECTIONS.values() for name in names}
        sections = {**SECTIONS, "Of both": [name for name in records if name not in own]}
        for heading, names in sections.items():
            rows = [row for name in names if (row := records[name]) is not None]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Refuse neither kind, both, and options of the other one."""
        given = [
            name
            for name in ctx.params
            if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        ]
        spelled = {p.name: p.opts[-1] for p in self.get_params(ctx)}
        if ("rung" in given) == ("task" in given):
            got = "both" if "rung" in given else "neither"
            raise click.UsageError(
                f"expected either --rung, to train a rung of the ladder, or --task, to train "
                f"founders of a task, got {got}",
                ctx,
            )
        kind, others = ("--rung", OF_FOUNDERS) if "rung" in given else ("--task", OF_A_RUNG)
        for name in given:
            if name in others:
                raise click.UsageError(
                    f"{spelled[name]}: expected none beside {kind}, which has no such option", ctx
                )
        return super().invoke(ctx)


@click.command(cls=_TwoKinds)
@click.option("--rung", help="Train this rung, such as gpt-3.")
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
    callback=once,
    help="Another field of the recipe, such as documents=32.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    help="Where it is trained [a GPU, if there is one].",
)
@click.option("--compile/--no-compile", "compiled", default=True, help="Use torch.compile.")
@click.option("--task", help="Train founders of this task, such as addition.")
@click.option("--sizes", metavar="FROM-TO", help="Sizes of it that they learn [1-5].")
@click.option("--founders", "count", type=COUNT, help="How many: by the seed, and those after [3].")
@click.option("--layers", type=COUNT, help="Of the model [2].")
@click.option("--width", type=COUNT, help="Of its layers [64].")
@click.option("--heads", type=COUNT, help="Of its attention, a divisor of the width [4].")
@click.option("--documents", type=COUNT, help="Problems of a step [64].")
@click.option("--rate", type=float, help="Highest learning rate [0.003].")
@click.option("--offsets", type=int, help="Largest number that places are counted from [8].")
@click.option("--places", type=COUNT, help="How many places there are [64].")
@click.option("--judging", type=float, help="Share of a step's documents that teach judging [0.0].")
@click.option("--noise", type=float, help="How careless those are whose answers they learn [0.0].")
@click.option("--scale", help="What they grade in, as of protocol.question [words].")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the model; of founders, a subfolder each, named by its seed.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights and texts."
)
@click.option("--steps", type=COUNT, help="Of training [a rung's own number; of founders 600].")
@click.option("--threads", type=COUNT, help="Of arithmetic on a CPU [all].")
def pretrain(
    out: Path,
    changes: tuple[str, ...],
    device: str,
    threads: int | None,
    compiled: bool,
    **fields: Any,
) -> None:
    """Train a rung of the ladder, or small models of the easy part of one task.

    \b
        mgptn pretrain --rung gpt-3 --out FOLDER
        mgptn pretrain --task addition --sizes 1-5 --founders 5 --out FOLDER

    Either may be stopped; the same command carries on. Founders that are there stay as they are.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    if "task" in given:
        _founders(given, out, threads)
        return
    with leaving_at_once():
        from mgptn.experiments.commands.training import read_recipe, train

    recipe = read_recipe(given, changes)
    with loading():
        import mgptn.agents.training.pretrain  # noqa: F401
    try:
        train(recipe, out, console(), device, threads, compiled)
    except KeyboardInterrupt:
        interrupted("The same command carries on from the checkpoint.")


def _founders(options: dict[str, Any], out: Path, threads: int | None) -> None:
    with leaving_at_once():
        from mgptn.experiments.commands.training import read_founders, train_founders

    founders = read_founders(options)
    with loading():
        import torch

        import mgptn.agents.founding.train  # noqa: F401
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        train_founders(founders, out)
    except KeyboardInterrupt:
        interrupted("The founders that are there are whole; the same command trains the others.")
