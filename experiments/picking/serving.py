"""The server of the page where people pick, at the same address each time."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from mgptn.agents.files import write_whole
from mgptn.experiments.people.exchange import PICKS
from mgptn.experiments.people.lines import LinesError
from mgptn.experiments.picking.app import PLACE, make_app
from mgptn.experiments.picking.desk import Desk
from mgptn.experiments.watching.finding import WatchError
from mgptn.experiments.watching.guard import LOOPBACK
from mgptn.experiments.watching.serving import address_of, bound_to, configured, run_server

PORT = 8766
"""Where the page is the first time, unless the port is taken or another is asked for."""

AT = "port"
"""File within `PICKS` with the port where the page was: links hold as long as it can be had."""

FREED_SECONDS = 3.0
"""In which a page that ends gives its port up."""


def serve(
    folder: Path,
    port: int | None,
    told: Callable[[str], None],
    host: str = LOOPBACK[0],
    names: Sequence[str] = (),
    until: threading.Event | None = None,
) -> None:
    """Serve the page on which people pick in a run, until Ctrl-C, or until an event is set.

    Parameters
    ----------
    port
        Where; None for where it was before, else `PORT`, else any that is free.
    told
        Called with a line for each person, which has their link, once it can be opened.
    names
        Further names by which the page may be asked for.

    Raises
    ------
    LinesError
        If nobody was invited to pick in the run.
    WatchError
        If the port cannot be had.
    """
    desk = Desk(folder)
    bound = _bound(folder, host, port)
    server = uvicorn.Server(configured(make_app(desk, hosts=(host, *names))))
    with bound:
        place = address_of(host, bound).rstrip("/") + PLACE
        for person in desk.people:
            told(f"{person.label}: {place}#{person.token}")
        run_server(server, bound, until)


def wait_for_people(folder: Path, given_up: threading.Event, every: float = 0.1) -> bool:
    """Wait until people were invited to pick in a run; False where it was given up before."""
    while not given_up.is_set():
        try:
            Desk(folder)
            return True
        except LinesError:
            given_up.wait(every)
    return False


def _bound(folder: Path, host: str, port: int | None) -> socket.socket:
    kept = folder / PICKS / AT
    if port is not None:
        return _kept(bound_to(host, (port,)), kept)
    before = _port_in(kept)
    end = time.monotonic() + FREED_SECONDS
    while before is not None and time.monotonic() < end:
        try:
            return bound_to(host, (before,))
        except WatchError:
            time.sleep(0.1)
    return _kept(bound_to(host, (PORT, 0)), kept)


def _port_in(path: Path) -> int | None:
    try:
        said = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(said) if said.isdecimal() and 0 < int(said) < 65536 else None


def _kept(bound: socket.socket, path: Path) -> socket.socket:
    said = str(bound.getsockname()[1]).encode()
    write_whole(path, lambda file: file.write(said))
    return bound
