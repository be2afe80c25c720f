"""`mgptn run` and what is done with runs: resume, replay, transcript, export, sweep, report.

Only the command line; heavy imports happen inside the commands, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from mgptn.experiments.commands.interrupts import INTERRUPTED, UNWRITTEN, going_on, leaving_at_once
from mgptn.experiments.commands.parts import (
    CONTROLS,
    FILE,
    FOLDER,
    RAY,
    RUNS,
    SET,
    axes,
    carried_on,
    check_port,
    checked,
    console,
    interrupted,
    load_hosts,
    loading,
    numbers,
    once,
    say,
)
from mgptn.experiments.commands.watch import watched_beside

LOG_TO = click.option(
    "--log-to",
    multiple=True,
    metavar="KIND:TARGET",
    help="Log figures too: tensorboard:FOLDER, wandb:PROJECT or mlflow:URI.",
)


@click.command()
@click.argument("config", type=FILE)
@SET
@click.option("--out", type=FOLDER, help="Folder of the run [runs/<name>-<seed>].")
@CONTROLS
@click.option("--watch", is_flag=True, help="Serve a page of the run while it goes on.")
@LOG_TO
@RAY
def run(
    config: Path,
    overrides: tuple[str, ...],
    out: Path | None,
    no_controls: bool,
    watch: bool,
    log_to: tuple[str, ...],
    ray_address: str | None,
) -> None:
    """Run a population and its controls, and write a report.

    CONFIG is a file, or the name of a bundled configuration, such as quickstart. An existing run is
    never overwritten.
    """
    base = checked(config, overrides)
    folder = out or RUNS / f"{base.name}-{base.seed}"
    check_port(base)
    with _resumable(folder), watched_beside(folder, watch):
        with loading():
            from mgptn.experiments.running.run import run as run_config

            shown_on = console()
            onlookers = _onlookers(log_to, folder, base, shown_on, resumed=False)
        finished = run_config(
            base,
            folder,
            shown_on,
            controls=not no_controls,
            ray_address=ray_address,
            onlookers=onlookers,
        )
    _say_finished(finished)


@click.command()
@click.argument("folder", type=FOLDER)
@RAY
@click.option("--other-versions", is_flag=True, help="Go on with other library versions.")
@LOG_TO
def resume(
    folder: Path, ray_address: str | None, other_versions: bool, log_to: tuple[str, ...]
) -> None:
    """Carry on a run that was interrupted or killed, to the same population hash."""
    with _resumable(folder):
        with loading():
            from mgptn.experiments.running.run import resume as resume_run

            shown_on = console()
            onlookers = []
            if log_to:
                from mgptn.experiments.config.recorded import recorded

                _, begun = recorded(folder)
                onlookers = _onlookers(log_to, folder, begun, shown_on, resumed=True)
        finished = resume_run(
            folder,
            shown_on,
            ray_address=ray_address,
            other_versions=other_versions,
            onlookers=onlookers,
        )
    _say_finished(finished)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--selection-temperature",
    type=float,
    help="Select again under this temperature, as far as the recorded answers allow.",
)
@click.option(
    "--what-if",
    "what_if",
    multiple=True,
    metavar="KEY=VALUE",
    callback=once,
    help="Select again with a key of selection, acceptance or aggregation set otherwise.",
)
@click.option(
    "--without",
    metavar="SLOTS",
    callback=numbers(int),
    help="Select again without the grades by these slots, as 0,3.",
)
def replay(
    folder: Path,
    selection_temperature: float | None,
    what_if: tuple[str, ...],
    without: tuple[int, ...] | None,
) -> None:
    """Derive every decision of a run again from its journal, or select again otherwise.

    Without a model. With options: who would have lived, among what was recorded, and how far the
    records reach; it is no claim of what another run would have done.
    """
    with loading():
        from mgptn.experiments.running import replay as replaying
        from mgptn.experiments.running.reselecting import Changes, describe_reselection

    if selection_temperature is None and not what_if and not without:
        lines, confirmed = replaying.describe_replay(folder)
    else:
        if selection_temperature is not None:
            what_if = (f"population.selection.temperature={selection_temperature!r}", *what_if)
        lines = describe_reselection(folder, Changes(what_if, frozenset(without or ())))
        confirmed = True
    for line in lines:
        say(line)
    sys.exit(0 if confirmed else 1)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--arm", default="selected", show_default=True, help="Of the run, or a control.")
@click.option(
    "--generation", type=click.IntRange(min=0), default=0, show_default=True, help="Which, from 0."
)
@click.option(
    "--answer", type=click.IntRange(min=0), default=0, show_default=True, help="Its index in it."
)
def transcript(folder: Path, arm: str, generation: int, answer: int) -> None:
    """Show one conversation of a run: who said what."""
    with loading():
        from mgptn.experiments.views.transcript import describe_conversation

    for line in describe_conversation(folder, arm, generation, answer):
        say(line)


@click.command()
@click.argument("folder", metavar="RUN", type=FOLDER)
@click.argument("agent", type=click.IntRange(min=0))
@click.argument("out", type=FOLDER)
@click.option("--arm", default="selected", show_default=True, help="Whose agent it is.")
@click.option("--generation", type=click.IntRange(min=0), help="After which [the last].")
@click.option("--adapter", is_flag=True, help="Write factors of low rank as peft loads them.")
def export_weights(
    folder: Path, agent: int, out: Path, arm: str, generation: int | None, adapter: bool
) -> None:
    """Write an agent's weights as a checkpoint that transformers loads.

    AGENT is the id of one who is alive at the end of the run, or after --generation.
    """
    with loading():
        from mgptn.experiments.running.export import export_weights as export

    said = export(folder, agent, out, arm=arm, generation=generation, adapter=adapter)
    say(said)


@click.command()
@click.argument("folder", metavar="RUN", type=FOLDER)
@click.option("--to", type=click.Choice(["hf", "inspect", "csv"]), help="What to write.")
@click.option("--best", is_flag=True, help="Write the best agent, by fitness, instead.")
@click.option("--arm", default="selected", show_default=True, help="Of the best agent.")
@click.option("--out", type=FOLDER, help="Folder to write, new [RUN/exports/<what>].")
def export(folder: Path, to: str | None, best: bool, arm: str, out: Path | None) -> None:
    """Pass a run on: a data set, logs, tables, or its best agent.

    hf is a folder for datasets.load_dataset, with a card; inspect has logs that inspect_ai's viewer
    opens; csv has tables. Nothing that exists is overwritten.
    """
    if (to is None) == (not best):
        got = "both" if best else "neither"
        raise click.UsageError(f"expected either --to hf, inspect or csv, or --best, got {got}")
    with loading():
        from mgptn.experiments.sharing.formats import export_best, export_run

    out = out or folder / "exports" / (to or "best")
    for line in export_best(folder, out, arm) if to is None else export_run(folder, to, out):
        say(line)


@click.command()
@click.argument("config", type=FILE)
@click.option("--population", callback=numbers(int), metavar="M,…", help="Population sizes.")
@click.option(
    "--selection-temperature", callback=numbers(float), metavar="T,…",
    help="Of selection: exp(fitness/T).",
)  # fmt: skip
@click.option(
    "--sampling-temperature", callback=numbers(float), metavar="T,…", help="Of the decoder."
)
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Of each cell."
)
@click.option("--vary", callback=axes, multiple=True, metavar="KEY=V,…", help="Vary any other key.")
@SET
@click.option("--out", type=FOLDER, help="Folder of the sweep [runs/<name>-sweep].")
@click.option(
    "--parallel", type=click.IntRange(min=1), default=4, show_default=True, help="Runs at once."
)
@CONTROLS
@RAY
def sweep(
    config: Path,
    population: tuple[int, ...],
    selection_temperature: tuple[float, ...],
    sampling_temperature: tuple[float, ...],
    seeds: int,
    vary: tuple[tuple[str, tuple[str, ...]], ...],
    overrides: tuple[str, ...],
    out: Path | None,
    parallel: int,
    no_controls: bool,
    ray_address: str | None,
) -> None:
    """Run a grid of configurations; resumable.

    Every combination, each with its controls in a folder of its own, on one set of hosts.
    """
    # What is varied need not be possible as the file has it.
    base = checked(config, (*overrides, *(f"{key}={values[0]}" for key, values in vary)))
    with loading():
        from mgptn.experiments.running.sweep import Axes, run_sweep

        load_hosts(base.agents)
    varied = Axes(population, selection_temperature, sampling_temperature, seeds, vary)
    folder = out or RUNS / f"{base.name}-sweep"
    with carried_on("the sweep"):
        paths = run_sweep(
            base,
            varied,
            folder,
            console(),
            parallel=parallel,
            controls=not no_controls,
            ray_address=ray_address,
        )
    for path in paths:
        say(str(path))


@click.command()
@click.argument("folder", type=FOLDER)
def report(folder: Path) -> None:
    """Write a run's tables and report anew."""
    with loading():
        from mgptn.experiments.results.derive import write_results

    _say_finished(write_results(folder))


def _onlookers(
    log_to: tuple[str, ...], folder: Path, config: Any, shown_on: Any, *, resumed: bool
) -> list[Any]:
    """Who is told of a run's rounds beside its own table and metrics."""
    if not log_to:
        return []
    from mgptn.experiments.sharing.trackers import trackers
    from mgptn.experiments.sharing.tracking import Tracked

    def tell(line: str) -> None:
        shown_on.print(line, highlight=False, markup=False)

    return trackers(log_to, Tracked(folder, config, resumed), tell)


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Ctrl-C in a run says how to go on, and exits with 130."""
    with leaving_at_once():
        from mgptn.experiments.record.rounds import JOURNAL

    def how() -> str:
        return f"Carry on with: mgptn resume {folder}" if (folder / JOURNAL).exists() else ""

    with going_on(how):
        try:
            yield
        except KeyboardInterrupt:
            if how():
                interrupted(how())
            say(UNWRITTEN, err=True)
            sys.exit(INTERRUPTED)


def _say_finished(finished: Any) -> None:
    """The run's summary; its last line is the population hash."""
    from mgptn.experiments.record.rounds import JOURNAL

    say()
    say(finished.verdict.heading)
    for sentence in finished.verdict.sentences:
        say(f"  {sentence}")
    say("  Intervals are 95 %, over the problems drawn in this one run; other seeds vary more.")
    say("Written:")
    for path in (finished.folder / JOURNAL, *finished.paths):
        say(f"  {path}")
    say(f"population hash: {finished.population_hash}")
