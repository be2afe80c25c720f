"""The command line. Heavy imports happen inside commands, so that help is instant."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from experiments.cards.command import models
from experiments.claims.command import experiment
from experiments.theory_cli import theory
from experiments.training_cli import pretrain

RUNS = Path("runs")
FOLDER = click.Path(path_type=Path, file_okay=False)


class _Commands(click.Group):
    """Lists commands in the order of use, and turns expected faults into one message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, RuntimeError) as error:
            # Our own errors of both kinds say what was expected and what was got.
            if not type(error).__module__.startswith(("agents.", "experiments.")):
                raise
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has had enough
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(
                f"{where}{error.strerror or error}; what was committed to a journal is intact"
            ) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mgptn", message="mgptn %(version)s")
def main() -> None:
    """A population simulator for language models: agents answer, grade each other, and evolve."""


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key.")
@click.option("--out", type=FOLDER, help="Folder of the run [runs/<name>-<seed>].")
@click.option("--no-controls", is_flag=True, help="Run without the control arms.")
@click.option("--ray-address", help="Join this Ray cluster instead of starting Ray here.")
def run(
    config: Path,
    overrides: tuple[str, ...],
    out: Path | None,
    no_controls: bool,
    ray_address: str | None,
) -> None:
    """Run a population and its controls, and write a report."""
    from experiments.config import load_config
    from experiments.run import run as run_config

    checked = load_config(config, overrides)
    folder = out or RUNS / f"{checked.name}-{checked.seed}"
    with _resumable(folder):
        finished = run_config(
            checked, folder, _console(), controls=not no_controls, ray_address=ray_address
        )
    _say_finished(finished)


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--ray-address", help="Join this Ray cluster instead of starting Ray here.")
@click.option("--other-versions", is_flag=True, help="Go on with other library versions.")
def resume(folder: Path, ray_address: str | None, other_versions: bool) -> None:
    """Carry on a run that was interrupted or killed."""
    from experiments.run import resume as resume_run

    with _resumable(folder):
        finished = resume_run(
            folder, _console(), ray_address=ray_address, other_versions=other_versions
        )
    _say_finished(finished)


@main.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--selection-temperature",
    type=float,
    help="Select again under this temperature, as far as the recorded answers allow.",
)
def replay(folder: Path, selection_temperature: float | None) -> None:
    """Derive every decision of a run again from its journal."""
    from experiments import replaying

    if selection_temperature is None:
        lines, confirmed = replaying.describe_replay(folder)
    else:
        lines, confirmed = replaying.describe_reselection(folder, selection_temperature), True
    for line in lines:
        click.echo(line)
    sys.exit(0 if confirmed else 1)


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--arm", default="selected", show_default=True)
@click.option("--generation", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--answer", type=click.IntRange(min=0), default=0, show_default=True)
def transcript(folder: Path, arm: str, generation: int, answer: int) -> None:
    """Show one conversation of a run: who said what."""
    from experiments.transcript import describe_conversation

    for line in describe_conversation(folder, arm, generation, answer):
        click.echo(line)


def _numbers(kind: Any) -> Any:
    def parse(ctx: click.Context, parameter: click.Parameter, text: str | None) -> Any:
        if text is None:
            return ()
        try:
            return tuple(kind(part) for part in text.split(","))
        except ValueError:
            raise click.BadParameter(
                f"expected numbers separated by commas, got {text!r}"
            ) from None

    return parse


def _axes(
    ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    axes = []
    for text in texts:
        key, equals, values = text.partition("=")
        if not key or not equals or not values:
            raise click.BadParameter(f"expected key=value,value,…, got {text!r}")
        axes.append((key, tuple(values.split(","))))
    return tuple(axes)


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--population", callback=_numbers(int), metavar="M,…", help="Population sizes.")
@click.option("--selection-temperature", callback=_numbers(float), metavar="T,…")
@click.option("--sampling-temperature", callback=_numbers(float), metavar="T,…")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--vary", callback=_axes, multiple=True, metavar="KEY=V,…", help="Vary any other key."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key.")
@click.option("--out", type=FOLDER, help="Folder of the sweep [runs/<name>-sweep].")
@click.option("--parallel", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--no-controls", is_flag=True, help="Run without the control arms.")
@click.option("--ray-address", help="Join this Ray cluster instead of starting Ray here.")
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
    """Run a grid of configurations; resumable."""
    from experiments.config import load_config
    from experiments.sweep import Axes, run_sweep

    # What is varied need not be possible as the file has it.
    base = load_config(config, (*overrides, *(f"{key}={values[0]}" for key, values in vary)))
    axes = Axes(population, selection_temperature, sampling_temperature, seeds, vary)
    folder = out or RUNS / f"{base.name}-sweep"
    try:
        paths = run_sweep(
            base,
            axes,
            folder,
            _console(),
            parallel=parallel,
            controls=not no_controls,
            ray_address=ray_address,
        )
    except KeyboardInterrupt:
        click.echo("\nInterrupted. The same command carries the sweep on.", err=True)
        sys.exit(130)
    for path in paths:
        click.echo(str(path))


@main.command()
@click.argument("folder", type=FOLDER)
def report(folder: Path) -> None:
    """Write a run's tables and report anew."""
    from experiments.run import write_results

    _say_finished(write_results(folder))


main.add_command(pretrain)
main.add_command(experiment)
main.add_command(models)


@main.command()
@click.argument("name", required=False)
@click.option("--size", type=int, help="The task's size [its default].")
@click.option("--count", type=click.IntRange(min=1, max=1000), default=3, show_default=True)
def tasks(name: str | None, size: int | None, count: int) -> None:
    """List the tasks, or show examples of one."""
    from experiments.task_listing import describe_task, further_tasks, tasks_table

    if name is None:
        _console().print(tasks_table())
        for line in further_tasks():
            click.echo(line)
        return
    for line in describe_task(name, size, count):
        click.echo(line)


@main.command()
def protocols() -> None:
    """List the protocols: who says what to whom."""
    from experiments.protocol_listing import protocol_lines

    for line in protocol_lines():
        click.echo(line)


@main.command("compare-protocols")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key.")
@click.option("--out", type=FOLDER, help="Folder of the comparison [runs/<name>-comparison].")
def compare_protocols(config: Path, overrides: tuple[str, ...], out: Path | None) -> None:
    """Grade the same answers in every way, and say what each is worth."""
    from experiments.comparing import run_comparison
    from experiments.config import load_config

    checked = load_config(config, overrides)
    for path in run_comparison(checked, out or RUNS / f"{checked.name}-comparison", _console()):
        click.echo(str(path))


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--role",
    type=click.Choice(["saboteur", "always_top", "always_bottom", "random", "clique"]),
    default="saboteur",
    show_default=True,
    help="What adversaries do.",
)
@click.option(
    "--shares",
    callback=_numbers(float),
    default="0,0.1,0.2,0.3,0.4",
    show_default=True,
    metavar="S,…",
    help="Shares of adversaries among the founders.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key.")
@click.option("--out", type=FOLDER, help="Folder of the result [runs/<name>-robustness].")
def robustness(
    config: Path,
    role: str,
    shares: tuple[float, ...],
    seeds: int,
    overrides: tuple[str, ...],
    out: Path | None,
) -> None:
    """What adversaries cost every way to aggregate the same grades."""
    from experiments.config import load_config
    from experiments.robustness import run_robustness

    base = load_config(config, overrides)
    folder = out or RUNS / f"{base.name}-robustness"
    for path in run_robustness(base, role, shares, seeds, folder, _console()):
        click.echo(str(path))


@main.group()
def bench() -> None:
    """Measure how fast this machine does things."""


@bench.command("engine")
@click.option("--repeats", type=click.IntRange(min=5), default=5, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--quick", is_flag=True, help="Hardly anything of it, to see whether it works.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def bench_engine(repeats: int, device: str, quick: bool, out: Path | None) -> None:
    """The host against transformers, against scoring row by row, and against the machine."""
    from experiments.engine_bench.command import engine

    engine(_console(), repeats, out, device, quick)


@bench.command("training")
@click.option("--rung", "rungs", multiple=True, help="Which rung; may be given again [all].")
@click.option("--repeats", type=click.IntRange(min=5), default=5, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="Of arithmetic on a CPU [all].")
def bench_training(rungs: tuple[str, ...], repeats: int, threads: int | None) -> None:
    """A training step beside a plain one in float32 without compilation."""
    from experiments.bench_training import training

    training(_console(), rungs, repeats, threads)


@bench.command("run")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key.")
def bench_run(config: Path, overrides: tuple[str, ...]) -> None:
    """Where a whole run's time and memory go."""
    from experiments.bench_run import whole_run

    sys.exit(whole_run(_console(), config, overrides))


@bench.command("population")
@click.option("--repeats", type=click.IntRange(min=5), default=5, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def bench_population(repeats: int, out: Path | None) -> None:
    """Selection, and the whole simulator without a model, against the number of agents."""
    from experiments.bench_population import population

    population(_console(), repeats, out)


main.add_command(theory)


@main.command()
@click.option("--ray-address", help="A Ray cluster to look for.")
@click.option("--metrics-port", type=int, default=9464, show_default=True)
def doctor(ray_address: str | None, metrics_port: int) -> None:
    """Say what this machine has and lacks."""
    from experiments.doctor import diagnose, exit_status, render

    checks = diagnose(ray_address=ray_address, metrics_port=metrics_port)
    _console().print(render(checks))
    sys.exit(exit_status(checks))


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Ctrl-C in a run says how to go on, and exits with 130."""
    try:
        yield
    except KeyboardInterrupt:
        begun = (folder / "journal.msgpack").exists()
        click.echo(
            f"\nInterrupted. Carry on with: mgptn resume {folder}"
            if begun
            else "\nInterrupted before anything was written.",
            err=True,
        )
        sys.exit(130)


def _console() -> Any:
    from rich.console import Console

    return Console()


def _say_finished(finished: Any) -> None:
    """The run's summary; its last line is the population hash."""
    click.echo()
    click.echo(finished.verdict.heading)
    for sentence in finished.verdict.sentences:
        click.echo(f"  {sentence}")
    click.echo(
        "  Intervals are 95 %, over the problems drawn in this one run; other seeds vary more."
    )
    click.echo("Written:")
    for path in (finished.folder / "journal.msgpack", *finished.paths):
        click.echo(f"  {path}")
    click.echo(f"population hash: {finished.population_hash}")
