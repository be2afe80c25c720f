"""`mgptn ask`, `compare-protocols` and `robustness`: one grade, ways to grade, ways to aggregate.

Only the command line; heavy imports happen inside the commands, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import click

from mgptn.experiments.commands.parts import (
    FILE,
    FOLDER,
    RUNS,
    SET,
    checked,
    console,
    loading,
    numbers,
    say,
)


@click.command("compare-protocols")
@click.argument("config", type=FILE)
@SET
@click.option("--out", type=FOLDER, help="Folder of the comparison [runs/<name>-comparison].")
def compare_protocols(config: Path, overrides: tuple[str, ...], out: Path | None) -> None:
    """Grade the same answers in every way, and say what each is worth.

    By words, digits, P(True), correct or incorrect, sampled, by likelihood, confidence, in pairs,
    and by the author itself: one table and a reliability figure, with intervals.
    """
    base = checked(config, overrides)
    with loading():
        from mgptn.experiments.studies.comparing import run_comparison

    for path in run_comparison(base, out or RUNS / f"{base.name}-comparison", console()):
        say(str(path))


@click.command()
@click.argument("config", type=FILE)
@click.option(
    "--problem", type=click.IntRange(min=0), default=0, show_default=True, help="Which, from 0."
)
@click.option(
    "--items",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Problems on which other ways to ask for grades are tried.",
)
@click.option("--alone", is_flag=True, help="Do not try other ways to ask for grades.")
@SET
def ask(config: Path, problem: int, items: int, alone: bool, overrides: tuple[str, ...]) -> None:
    """Show one answer and one grade, with all that the model is told.

    And what other grading questions would be worth: the first thing to try with a model of your
    own.
    """
    base = checked(config, overrides)
    with loading():
        from mgptn.experiments.studies.ask import ask as ask_once

    for line in ask_once(base, problem, others=not alone, items=items):
        say(line)


@click.command()
@click.argument("config", type=FILE)
@click.option(
    "--role",
    type=click.Choice(["saboteur", "always_top", "always_bottom", "random", "clique"]),
    default="saboteur",
    show_default=True,
    help="What adversaries do.",
)
@click.option(
    "--shares",
    callback=numbers(float),
    default="0,0.1,0.2,0.3,0.4",
    show_default=True,
    metavar="S,…",
    help="Shares of adversaries among the founders.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@SET
@click.option("--out", type=FOLDER, help="Folder of the result [runs/<name>-robustness].")
def robustness(
    config: Path,
    role: str,
    shares: tuple[float, ...],
    seeds: int,
    overrides: tuple[str, ...],
    out: Path | None,
) -> None:
    """What adversaries cost every way to aggregate the same grades.

    Each share of them is run with each seed, once for each aggregation, on the same problems.
    """
    base = checked(config, overrides)
    with loading():
        from mgptn.experiments.studies.robustness import run_robustness

    folder = out or RUNS / f"{base.name}-robustness"
    for path in run_robustness(base, role, shares, seeds, folder, console()):
        say(str(path))
