"""`mgptn list`, `watch` and `pick`: which runs there are, and pages of them while they go on."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import reduce
from pathlib import Path

import click

from mgptn.experiments.commands.parts import FOLDER, RUNS, Command, console, loading, say

END_SECONDS = 5.0


def _served(where: str) -> Callable[[Command], Command]:
    """Options of a command that serves a page; `where` it is, if no port is given."""
    options = (
        click.option("--port", type=click.IntRange(0, 65535), help=f"Where [{where}]."),
        click.option(
            "--host", default="127.0.0.1", show_default=True, help="Address to listen on."
        ),
        click.option(
            "--name",
            "names",
            multiple=True,
            metavar="HOST",
            help="A name by which the page may be asked for, beside loopback's.",
        ),
        click.option("--beside", is_flag=True, hidden=True),
    )
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


@click.command(name="list")
@click.argument("folders", metavar="[FOLDER]…", nargs=-1, type=FOLDER)
def list_runs(folders: tuple[Path, ...]) -> None:
    """List the runs in a folder [runs]: how far each is, and when it was last written."""
    from mgptn.experiments.commands.listings.runs import runs_table

    console().print(runs_table(folders or (RUNS,)))


@click.command()
@click.argument("folders", metavar="FOLDER…", nargs=-1, required=True, type=FOLDER)
@_served("8765, or any that is free")
def watch(
    folders: tuple[Path, ...], port: int | None, host: str, names: tuple[str, ...], beside: bool
) -> None:
    """Serve a page of runs: what comes of them, who descends from whom, every answer.

    FOLDER is a run's, or one that holds runs: a sweep's, an experiment's. The page follows runs
    that go on. It is for this machine alone, unless --host says otherwise.
    """
    with loading():
        from mgptn.experiments.watching.serving import at_end_of_input, serve, wait_for_runs

    until = at_end_of_input() if beside else None
    if until is not None and not wait_for_runs(folders, until):
        return

    def told(address: str) -> None:
        say(f"watch at {address}" + ("" if beside else "  (Ctrl-C ends the page, and no run)"))
        sys.stdout.flush()

    serve(folders, port, told, host, names, until)


@click.command()
@click.argument("folder", type=FOLDER)
@_served("where it was, or 8766")
def pick(folder: Path, port: int | None, host: str, names: tuple[str, ...], beside: bool) -> None:
    """Serve the page on which people pick among answers, of a run that waits for them.

    A run with human.source=page does so by itself; this is for who wants it at another address.
    """
    with nullcontext() if beside else loading():
        from mgptn.experiments.picking.serving import serve, wait_for_people
        from mgptn.experiments.watching.serving import at_end_of_input

    until = at_end_of_input() if beside else None
    if until is not None and not wait_for_people(folder, until):
        return

    def told(line: str) -> None:
        say(f"pick as {line}")
        sys.stdout.flush()

    serve(folder, port, told, host, names, until)


@contextmanager
def watched_beside(folder: Path, wanted: bool) -> Iterator[None]:
    """While a run goes on, its page is served by a process of its own, which ends with it."""
    if not wanted:
        yield
        return
    command = [sys.executable, "-m", "mgptn.experiments", "watch", str(folder), "--beside"]
    page = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        assert page.stdin is not None
        page.stdin.close()
        try:
            page.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            page.kill()
            page.wait()
        say(f"look at it again: mgptn watch {folder}")
