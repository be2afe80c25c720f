"""`mgptn init`: a commented configuration to start from."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import click

from mgptn.experiments.commands.parts import FILE


@click.command()
@click.argument("file", type=FILE, default="mgptn.yaml")
@click.option(
    "--from",
    "name",
    metavar="NAME",
    default="quickstart",
    show_default=True,
    help="A bundled configuration.",
)
def init(file: Path, name: str) -> None:
    """Write a commented configuration to start from [mgptn.yaml]."""
    from mgptn.experiments.config.bundled import bundled_configs, bundled_instead

    known = bundled_configs()
    if name.removesuffix(".yaml") not in known:
        raise click.ClickException(
            f"--from {name}: expected a bundled configuration, got another name"
            f"{bundled_instead(name)}"
        )
    text = known[name.removesuffix(".yaml")].read_text(encoding="utf-8")
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise click.ClickException(
            f"{file}: expected a path where nothing is yet, got one that is taken"
        ) from None
    except OSError as error:
        raise click.ClickException(
            f"{file}: expected a file that can be written, got: {error.strerror}"
        ) from None
    click.echo(f"Wrote {file}, a copy of the bundled {name.removesuffix('.yaml')}.")
    click.echo("Give it a name of its own (the key `name`), change what you like, then:")
    click.echo(f"  mgptn run {file}")
