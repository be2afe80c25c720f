"""`mgptn experiment`: the registered claims, run, judged, and written up.

Only the command line; heavy imports happen inside the commands, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from mgptn.experiments.commands.parts import FOLDER, carried_on, console, loading, once, say

EXPERIMENTS = Path("runs") / "experiments"
PAGES = Path("docs")
SCALE = click.Choice(["smoke", "laptop", "cluster"])


@click.group()
def experiment() -> None:
    """List, run and report the registered claims about mutual selection."""


@experiment.command("list")
@click.option("--scale", type=SCALE, default="laptop", show_default=True)
@click.option("--runs", type=FOLDER, default=EXPERIMENTS, show_default=True)
def list_claims(scale: Any, runs: Path) -> None:
    """The registered claims, and what was found of them."""
    with loading():
        from mgptn.experiments.claims.telling import claims_table

    console().print(claims_table(scale, runs))


@experiment.command()
@click.argument("name")
@click.option("--scale", type=SCALE, default="laptop", show_default=True)
@click.option("--out", type=FOLDER, help="Folder [runs/experiments/<name>-<scale>].")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    callback=once,
    help="Set in every run.",
)
@click.option("--parallel", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--ray-address", help="Join this Ray cluster instead of a host in this process.")
def run(
    name: str,
    scale: Any,
    out: Path | None,
    overrides: tuple[str, ...],
    parallel: int,
    ray_address: str | None,
) -> None:
    """Run what is left of an experiment, and say what it found."""
    with loading():
        from mgptn.experiments.claims.method.claim import load_claim
        from mgptn.experiments.claims.running import (
            FIGURE,
            FINDING,
            TABLE,
            parse_changes,
            run_claim,
        )
        from mgptn.experiments.claims.telling import finding_lines

    changes = parse_changes(overrides)
    folder = out or EXPERIMENTS / "-".join([name, scale, *map(_plain, overrides)])
    command = shlex.join(["mgptn", *sys.argv[1:]])
    with carried_on("the experiment"):
        recorded = run_claim(
            load_claim(name),
            scale,
            folder,
            console(),
            changes=changes,
            ray_address=ray_address,
            parallel=parallel,
            command=command,
        )
    for line in finding_lines(recorded):
        say(line)
    for written in (FINDING, FIGURE, TABLE):
        say(str(folder / written))


@experiment.command()
@click.argument("name")
@click.option("--scale", type=SCALE, default="laptop", show_default=True)
@click.option("--out", type=FOLDER, help="Where it ran [runs/experiments/<name>-<scale>].")
@click.option("--docs", type=FOLDER, default=PAGES, show_default=True, help="Folder of the pages.")
@click.option("--anew", is_flag=True, help="Analyse the recorded run anew first.")
def report(name: str, scale: Any, out: Path | None, docs: Path, anew: bool) -> None:
    """Write an experiment's page from its finding, and the index of all pages."""
    with loading():
        from mgptn.experiments.claims.method.claim import load_claim
        from mgptn.experiments.claims.page import write_pages
        from mgptn.experiments.claims.running import judge_again

    claim, folder = load_claim(name), out or EXPERIMENTS / f"{name}-{scale}"
    if anew:
        judge_again(claim, folder)
    for path in write_pages(claim, folder, docs):
        say(str(path))


def _plain(text: str) -> str:
    from mgptn.experiments.running.grid import plain

    return plain(text)
