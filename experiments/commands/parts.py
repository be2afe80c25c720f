"""What the command line's parts share: options, how values are read, how things are said."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from mgptn.experiments.commands.interrupts import INTERRUPTED, going_on, leaving_at_once
from mgptn.experiments.views.doing import doing
from mgptn.experiments.views.printable import on_terminal

RUNS = Path("runs")
Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)


def once(
    ctx: click.Context, parameter: click.Parameter, changes: tuple[str, ...]
) -> tuple[str, ...]:
    """A callback that refuses a key that is set twice: the last one would win in silence."""
    seen: dict[str, str] = {}
    for change in changes:
        key = change.partition("=")[0]
        if key in seen:
            raise click.BadParameter(f"expected every key once, got {seen[key]} and {change}")
        seen[key] = change
    return changes


SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", callback=once, help="Override a key."
)
CONTROLS = click.option("--no-controls", is_flag=True, help="Run without the control arms.")
RAY = click.option("--ray-address", help="Join this Ray cluster instead of starting Ray here.")


def console() -> Any:
    """A console on standard output."""
    from rich.console import Console

    return Console()


def say(line: str = "", err: bool = False) -> None:
    """A line on standard output, or on standard error, as far as it can be printed there.

    What is in it that a terminal would obey is shown instead.
    """
    # Where the stream is named, click does not write UTF-8 to one that is ASCII.
    click.echo(on_terminal(line), file=sys.stderr if err else sys.stdout)


@contextmanager
def loading() -> Iterator[None]:
    """While a command imports what it needs: it says so, and Ctrl-C ends it at once."""
    with doing("loading libraries"), leaving_at_once():
        yield


def checked(config: Path, overrides: tuple[str, ...]) -> Any:
    """The configuration in a file, with what is set on the command line; read before anything else.

    Raises
    ------
    mgptn.experiments.config.run_config.ConfigError
        If it is not as it should be.
    """
    with leaving_at_once():
        from mgptn.experiments.config.run_config import load_config

        return load_config(config, overrides)


def check_port(config: Any) -> None:
    """Refuse a metrics port that cannot be opened, before anything that takes long.

    Raises
    ------
    mgptn.experiments.views.metrics_server.EndpointError
        If it cannot.
    """
    with leaving_at_once():
        from mgptn.experiments.views import metrics_server

        metrics_server.check_port(config.metrics.host, config.metrics.port)


def load_hosts(agents: Any) -> None:
    """Import what a run with a model imports anyway, but while Ctrl-C may end the process."""
    from mgptn.agents.behaviour import SCRIPTED_MODELS

    if agents.model not in SCRIPTED_MODELS and not set(agents.model.split(",")) <= agents.remote:
        import ray  # noqa: F401


@contextmanager
def carried_on(what: str) -> Iterator[None]:
    """Ctrl-C, once or twice, says that the same command carries something on."""
    how = f"The same command carries {what} on."
    with going_on(lambda: how):
        try:
            yield
        except KeyboardInterrupt:
            interrupted(how)


def interrupted(how_to_go_on: str) -> NoReturn:
    """End the command after Ctrl-C, with a sentence."""
    say(f"\nInterrupted. {how_to_go_on}".rstrip(), err=True)
    sys.exit(INTERRUPTED)


def numbers(kind: Any) -> Any:
    """A callback for numbers of a kind with commas between them."""

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


def axes(
    ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A callback for keys with their values: ``key=value,value``, given several times.

    Commas within brackets, braces and quotes belong to a value: ``key=[],[a text, another]``.
    """
    found = []
    for text in texts:
        key, equals, values = text.partition("=")
        if not key or not equals or not values:
            raise click.BadParameter(f"expected key=value,value,…, got {text!r}")
        found.append((key, _parted(values)))
    return tuple(found)


def _parted(values: str) -> tuple[str, ...]:
    """What stands between commas that are not within brackets, braces or quotes."""
    pieces, depth, quote = [""], 0, ""
    for letter in values:
        if letter == "," and not depth and not quote:
            pieces.append("")
            continue
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and not pieces[-1].strip():
            quote = letter
        else:
            depth = max(0, depth + (letter in "[{") - (letter in "]}"))
        pieces[-1] += letter
    return tuple(piece.strip() for piece in pieces)
