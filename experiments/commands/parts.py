"""What the command line's parts share: options, how values are read, the console."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

RUNS = Path("runs")
FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)
SET = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key.")
CONTROLS = click.option("--no-controls", is_flag=True, help="Run without the control arms.")
RAY = click.option("--ray-address", help="Join this Ray cluster instead of starting Ray here.")


def console() -> Any:
    """A console on standard output."""
    from rich.console import Console

    return Console()


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
    """A callback for keys with their values: ``key=value,value``, given several times."""
    found = []
    for text in texts:
        key, equals, values = text.partition("=")
        if not key or not equals or not values:
            raise click.BadParameter(f"expected key=value,value,…, got {text!r}")
        found.append((key, tuple(values.split(","))))
    return tuple(found)
