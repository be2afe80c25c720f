"""The command line. Heavy imports happen inside commands, so that help is instant."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from mgptn.agents.collecting import seldom_collecting
from mgptn.experiments.commands.bench import bench
from mgptn.experiments.commands.compact import compact
from mgptn.experiments.commands.experiment import experiment
from mgptn.experiments.commands.grading import ask, compare_protocols, robustness
from mgptn.experiments.commands.init import init
from mgptn.experiments.commands.interrupts import raising
from mgptn.experiments.commands.models import models
from mgptn.experiments.commands.parts import console, interrupted, say
from mgptn.experiments.commands.pretrain import pretrain
from mgptn.experiments.commands.run import (
    export,
    export_weights,
    replay,
    report,
    resume,
    run,
    sweep,
    transcript,
)
from mgptn.experiments.commands.theory import theory
from mgptn.experiments.commands.watch import list_runs, pick, watch
from mgptn.experiments.views.doing import doing
from mgptn.experiments.views.printable import on_terminal, print_anything


class _Commands(click.Group):
    """Lists commands in the order of use, and turns expected faults into one message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, *arguments: Any, **options: Any) -> Any:
        print_anything()
        return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with raising(), seldom_collecting():
                return super().invoke(ctx)
        except KeyboardInterrupt:  # in a command that cannot be carried on
            interrupted("")
        except (ValueError, RuntimeError) as error:
            # Our own errors of both kinds say what was expected and what was got.
            if not type(error).__module__.startswith("mgptn."):
                raise
            raise click.ClickException(on_terminal(str(error))) from error
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


@click.command()
@click.argument("name", required=False)
@click.option("--size", type=int, help="The task's size [its default].")
@click.option(
    "--count", type=click.IntRange(min=1, max=1000), default=3, show_default=True, help="Examples."
)
def tasks(name: str | None, size: int | None, count: int) -> None:
    """List the tasks, or show examples of one.

    Of one, its verifier is put to the proof first.
    """
    from mgptn.experiments.commands.listings.tasks import describe_task, further_tasks, tasks_table

    if name is None:
        console().print(tasks_table())
        for line in further_tasks():
            say(line)
        return
    for line in describe_task(name, size, count):
        say(line)


@click.command()
def protocols() -> None:
    """List the protocols: who says what to whom."""
    from mgptn.experiments.commands.listings.tasks import protocol_lines

    for line in protocol_lines():
        say(line)


@click.command()
@click.option("--ray-address", help="A Ray cluster to look for.")
@click.option(
    "--metrics-port", type=int, default=9464, show_default=True, help="Whether it is free."
)
def doctor(ray_address: str | None, metrics_port: int) -> None:
    """Say what this machine has and lacks for a run, and what to mend."""
    from mgptn.experiments.machine.doctor import diagnose, exit_status, render

    with doing("looking at this machine"):
        checks = diagnose(ray_address=ray_address, metrics_port=metrics_port)
    console().print(render(checks))
    sys.exit(exit_status(checks))


for _command in (
    init,
    ask,
    run,
    resume,
    list_runs,
    watch,
    pick,
    replay,
    transcript,
    export,
    export_weights,
    sweep,
    report,
    compact,
    pretrain,
    experiment,
    models,
    tasks,
    protocols,
    compare_protocols,
    robustness,
    bench,
    theory,
    doctor,
):
    main.add_command(_command)
