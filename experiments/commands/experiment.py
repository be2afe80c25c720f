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
EVERY = "all"
SCALE = click.option(
    "--scale",
    type=click.Choice(["smoke", "laptop", "cluster"]),
    default="laptop",
    show_default=True,
    help="Of its sizes, which are registered: smoke shows that it works, and decides nothing.",
)


@click.group()
def experiment() -> None:
    """List, run and report the registered claims about mutual selection."""


@experiment.command("list")
@SCALE
@click.option(
    "--runs", type=FOLDER, default=EXPERIMENTS, show_default=True, help="Where they were run."
)
def list_claims(scale: Any, runs: Path) -> None:
    """The registered claims, and what was found of them."""
    with loading():
        from mgptn.experiments.claims.telling import claims_table

    console().print(claims_table(scale, runs))


@experiment.command()
@click.argument("name")
@SCALE
@click.option("--out", type=FOLDER, help="Folder [runs/experiments/<name>-<scale>].")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    callback=once,
    help="Set in every run.",
)
@click.option(
    "--parallel", type=click.IntRange(min=1), default=8, show_default=True, help="Runs at once."
)
@click.option("--ray-address", help="Join this Ray cluster instead of a host in this process.")
def run(
    name: str,
    scale: Any,
    out: Path | None,
    overrides: tuple[str, ...],
    parallel: int,
    ray_address: str | None,
) -> None:
    """Run what is left of an experiment, or of `all`, and say what was found.

    Of all, what was done under the same registration and versions is left out, one that fails stops
    no other, and how long is left is told by what they took before.
    """
    with loading():
        from mgptn.experiments.claims.all_claims import run_all
        from mgptn.experiments.claims.method.claim import claim_names, load_claim
        from mgptn.experiments.claims.running import (
            FIGURE,
            FINDING,
            TABLE,
            parse_changes,
            run_claim,
        )
        from mgptn.experiments.claims.telling import ended_lines, finding_lines

    changes = parse_changes(overrides)

    def folder_of(one: str) -> Path:
        own = "-".join([one, scale, *map(_plain, overrides)])
        return out or EXPERIMENTS / own if name != EVERY else (out or EXPERIMENTS) / own

    def begin(claim: Any, folder: Path) -> Any:
        return run_claim(
            claim,
            scale,
            folder,
            console(),
            changes=changes,
            ray_address=ray_address,
            parallel=parallel,
            command=shlex.join(["mgptn", *_of_one(claim.name)]),
        )

    if name == EVERY:
        claims = [load_claim(one) for one in claim_names()]
        before = PAGES / "results"
        with carried_on("the experiments"):
            ended = list(
                run_all(claims, scale, folder_of, begin, say, changes=changes, before=before)
            )
        for line in ended_lines(ended):
            say(line)
        sys.exit(any(one.fault for one in ended))
    folder = folder_of(name)
    with carried_on("the experiment"):
        recorded = begin(load_claim(name), folder)
    for line in finding_lines(recorded):
        say(line)
    for written in (FINDING, FIGURE, TABLE):
        say(str(folder / written))


@experiment.command()
@click.argument("name")
@SCALE
@click.option("--out", type=FOLDER, help="Where it ran [runs/experiments/<name>-<scale>].")
@click.option("--docs", type=FOLDER, default=PAGES, show_default=True, help="Folder of the pages.")
@click.option("--anew", is_flag=True, help="Analyse the recorded run anew first.")
def report(name: str, scale: Any, out: Path | None, docs: Path, anew: bool) -> None:
    """Write the page of an experiment, or of `all` that were run, and the index of all pages.

    Of one that was not run here it is written anew from what the pages' folder has of it.
    """
    with loading():
        from mgptn.experiments.claims.method.claim import claim_names, load_claim
        from mgptn.experiments.claims.page import was_run, write_pages
        from mgptn.experiments.claims.running import judge_again

    names = claim_names() if name == EVERY else [name]
    claims = {}
    for one in names:
        own = f"{one}-{scale}"
        folder = out or EXPERIMENTS / own if name != EVERY else (out or EXPERIMENTS) / own
        if name == EVERY and not was_run(one, folder, docs):
            say(f"{one}: not run yet")
            continue
        claims[folder] = load_claim(one)
        if anew:
            judge_again(claims[folder], folder)
    for path in write_pages(claims, docs):
        say(str(path))


def _of_one(name: str) -> list[str]:
    """The command line as it was given, of one claim where it was of all."""
    return [name if part == EVERY else part for part in sys.argv[1:]]


def _plain(text: str) -> str:
    from mgptn.experiments.running.grid import plain

    return plain(text)
