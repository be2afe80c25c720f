"""`mgptn bench`: how fast this machine does things, and what it may do to a run.

Only the command line; heavy imports happen inside the commands, so that help is instant.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mgptn.experiments.commands.parts import FILE, FOLDER, SET, Command, console, loading


def _repeats(least: int) -> Callable[[Command], Command]:
    """How often each thing is measured."""
    count = click.IntRange(min=least)
    return click.option(
        "--repeats", type=count, default=5, show_default=True, help="How often each is measured."
    )


DEVICE = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Where the host computes.",
)  # fmt: skip


@click.group()
def bench() -> None:
    """Measure how fast this machine does things, and what faults cost."""


@bench.command("engine")
@_repeats(5)
@DEVICE
@click.option("--quick", is_flag=True, help="Hardly anything of it, to see whether it works.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
@click.option(
    "--part", "parts", multiple=True, help="Of it, in place of all; may be given again [all].",
    type=click.Choice(["models", "equal-bits", "reuse", "size", "generation", "driver"]),
)  # fmt: skip
@click.option("--model", help="A population's work on this model: a folder, or a name.")
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), help="[by device]")
@click.option("--threads", type=click.IntRange(min=1), help="Of every way's arithmetic [1].")
@click.option("--agents", type=click.IntRange(min=2), help="Who answer and grade [8].")
@click.option("--problems", type=click.IntRange(min=1), help="Answers of each agent [4].")
@click.option(
    "--beside", multiple=True, metavar="NAME",
    help="Compared with: generate, continuous, 'llama.cpp', 'llama.cpp float32', … [all].",
)  # fmt: skip
@click.option("--gguf", type=FILE, help="The model as llama.cpp reads it [written here].")
def bench_engine(
    repeats: int, device: str, quick: bool, out: Path | None, parts: tuple[str, ...],
    model: str | None, **of_model: Any,
) -> None:  # fmt: skip
    """The host against transformers, against scoring row by row, and against the machine.

    With --model: 8 agents with contexts of their own answer, and 4 others grade each answer, by
    the host, by generate(), by continuous batching and by llama.cpp.
    """
    if model is None:
        given = [f"--{name}" for name, value in of_model.items() if value]
        if given:
            raise click.UsageError(f"{', '.join(given)}: expected --model beside it, got none")
        with loading():
            from mgptn.experiments.bench.engine.benchmark import PARTS, engine

        engine(console(), repeats, out, device, quick, parts or PARTS)
        return
    if parts:
        raise click.UsageError("--part: expected no --model beside it, got one")
    with loading():
        from mgptn.experiments.bench.real.benchmark import asked_of, real_model
        from mgptn.experiments.bench.real.workload import Size

    usual = Size()
    agents = of_model["agents"] or usual.agents
    size = Size(of_model["problems"] or usual.problems, agents, min(usual.graders, agents - 1))
    asked = asked_of(
        model, device, of_model["dtype"], of_model["threads"] or 1, repeats,
        None if quick else size, of_model["gguf"], of_model["beside"] or (),
    )  # fmt: skip
    real_model(console(), asked, out)


@bench.command("training")
@click.option("--rung", "rungs", multiple=True, help="Which rung; may be given again [all].")
@_repeats(5)
@click.option("--threads", type=click.IntRange(min=1), help="Of arithmetic on a CPU [all].")
def bench_training(rungs: tuple[str, ...], repeats: int, threads: int | None) -> None:
    """A training step beside a plain one in float32 without compilation."""
    with loading():
        from mgptn.experiments.bench.training import training

    training(console(), rungs, repeats, threads)


@bench.command("learning")
@_repeats(5)
@DEVICE
@click.option("--quick", is_flag=True, help="Hardly anything of it, to see whether it works.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def bench_learning(repeats: int, device: str, quick: bool, out: Path | None) -> None:
    """Agents that learn one after another against all at once, and weights worn in turn."""
    with loading():
        from mgptn.experiments.bench.learning.benchmark import learning

    learning(console(), repeats, out, device, quick)


@bench.command("run")
@click.argument("config", type=FILE)
@SET
@click.option("--against", metavar="COMMAND", help="Another mgptn, run in turn: seconds of both.")
@_repeats(1)
def bench_run(config: Path, overrides: tuple[str, ...], against: str | None, repeats: int) -> None:
    """Where a whole run's time and memory go; or how long it takes beside another version's."""
    if against is not None:
        with loading():
            from mgptn.experiments.bench.seconds import beside

        beside(console(), config, overrides, against, repeats)
        return
    with loading():
        from mgptn.experiments.bench.run import whole_run

    sys.exit(whole_run(console(), config, overrides))


@bench.command("programs")
@click.option(
    "--programs", "count", type=click.IntRange(min=20), default=20_000, show_default=True,
    help="How many.",
)  # fmt: skip
@_repeats(1)
def bench_programs(count: int, repeats: int) -> None:
    """Programs of the stack language verified a second, by either interpreter, on one core."""
    with loading():
        from mgptn.experiments.bench.verified import programs

    programs(console(), count, repeats)


@bench.command("population")
@_repeats(5)
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def bench_population(repeats: int, out: Path | None) -> None:
    """Selection, and the whole simulator without a model, against the number of agents."""
    with loading():
        from mgptn.experiments.bench.population import population

    population(console(), repeats, out)


@bench.command("scale")
@click.option(
    "--agents", type=click.IntRange(min=10), default=10_000, show_default=True, help="How many."
)
@click.option(
    "--generations", type=click.IntRange(min=3), default=10, show_default=True, help="How many."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def bench_scale(agents: int, generations: int, out: Path | None) -> None:
    """A large population's run, replay, report and compact journal: time, memory, bytes."""
    with loading():
        from mgptn.experiments.bench.scale import scale

    scale(console(), agents, generations, out)


@bench.command("gpu")
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=12.0, show_default=True,
    help="At most; what is left then is left out, and said.",
)  # fmt: skip
@click.option("--out", type=FOLDER, default=Path("bench-gpu"), show_default=True, help="A folder.")
def bench_gpu(minutes: float, out: Path) -> None:
    """All of it on a card, in one go: its tests, the engine, learning; within a time."""
    with loading():
        from mgptn.experiments.bench.gpu import gpu

    sys.exit(gpu(console(), out, minutes))


@bench.command("faults")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="How many schedules.",
)
@click.option(
    "--first", type=click.IntRange(min=0), default=0, show_default=True, metavar="SEED",
    help="Of the first.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="This one alone, step by step.")
@click.option("--processes", type=click.IntRange(min=1), help="Side by side [by CPUs].")
@click.option("--out", type=FILE, help="Write the figures as JSON.")
@click.option("--page", type=FILE, help="Write a page's part about them anew.")
def bench_faults(seed: int | None, **campaign: Any) -> None:
    """Runs under simulated faults: hosts, disks, clocks and processes that fail as is drawn.

    Each seed is a schedule of faults, and the same every time. All must end in the hash of a run
    that nothing befalls, or in an error after which `mgptn resume` does.
    """
    with loading():
        from mgptn.experiments.bench.faults.benchmark import faults, one_schedule

    if seed is not None:
        sys.exit(one_schedule(console(), seed))
    sys.exit(faults(console(), **campaign))


@bench.command("sandbox")
@click.option("--attacks", is_flag=True, help="Run programs that attack, and say what held.")
@_repeats(1)
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def bench_sandbox(attacks: bool, repeats: int, out: Path | None) -> None:
    """Programs a second in each kind of sandbox that works here; or attacks, and what held."""
    with loading():
        from mgptn.experiments.bench.sandbox.benchmark import sandbox

    sys.exit(sandbox(console(), repeats, attacks, out))
