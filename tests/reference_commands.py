"""The reference of the command line, made of the help that each command gives."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy

import click

from mgptn.experiments.cli import main
from tests.reference_words import cell, made_by

WIDTH = 100
"""Of help, in characters."""

Path = tuple[str, ...]


def commands() -> str:
    """A line for each command, and then the help of each."""
    known = list(all_commands(main, ("mgptn",)))
    lines = ["# Commands", "", f"{made_by()} of what `--help` says, which has the same."]
    lines += ["", "| Command | Does |", "| --- | --- |"]
    for path, command in known[1:]:
        if not isinstance(command, click.Group) or command.invoke_without_command:
            does = re.sub(r"\s+", " ", command.get_short_help_str(limit=10_000))
            lines.append(f"| [`{_usage(path, command)}`](#{'-'.join(path)}) | {cell(does)} |")
    for path, command in known:
        lines += ["", f"## {' '.join(path)}", "", "```text", _help(path, command), "```"]
    return "\n".join(lines) + "\n"


def _usage(path: Path, command: click.Command) -> str:
    """A command with its arguments."""
    arguments = (one for one in command.params if isinstance(one, click.Argument))
    return " ".join([*path, *(one.make_metavar(_context(path, command)) for one in arguments)])


def _help(path: Path, command: click.Command) -> str:
    """What a command says of itself, whatever has been asked of it in this process before."""
    fresh = copy(command)
    fresh._help_option = None  # click keeps the first that was made, by the names of its context
    return fresh.get_help(_context(path, fresh))


def _context(path: Path, command: click.Command) -> click.Context:
    settings = main.context_settings
    return click.Context(command, info_name=" ".join(path), terminal_width=WIDTH, **settings)


def all_commands(command: click.Command, path: Path) -> Iterator[tuple[Path, click.Command]]:
    """A command with its path of names, and all below it."""
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from all_commands(one, (*path, name))
