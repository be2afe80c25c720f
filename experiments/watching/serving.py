"""The page's server: on loopback unless it is told otherwise, until somebody ends it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from mgptn.experiments.watching.app import make_app
from mgptn.experiments.watching.finding import WatchError, run_folders
from mgptn.experiments.watching.guard import LOOPBACK
from mgptn.experiments.watching.shelf import Shelf

PORT = 8765
"""Where the page is, unless the port is taken or another is asked for."""

MOST_CONNECTIONS = 96
IDLE_SECONDS = 5
LEAVE_SECONDS = 1


def serve(
    folders: Sequence[Path],
    port: int | None,
    told: Callable[[str], None],
    host: str = LOOPBACK[0],
    names: Sequence[str] = (),
    until: threading.Event | None = None,
) -> None:
    """Serve the page of some runs until Ctrl-C, or until an event is set.

    Parameters
    ----------
    port
        Where; None for `PORT`, or where that is taken for any that is free.
    told
        Called with the page's address, once it can be opened.
    names
        Further names by which the page may be asked for.

    Raises
    ------
    WatchError
        If a folder holds no run, or the port cannot be had.
    """
    shelf = Shelf(folders)
    bound = bound_to(host, (PORT, 0) if port is None else (port,))
    server = _Server(configured(make_app(shelf, hosts=(host, *names))), shelf)
    with bound:
        shelf.start()
        told(address_of(host, bound))
        try:
            run_server(server, bound, until)
        finally:
            shelf.stop()


def configured(app: Starlette) -> uvicorn.Config:
    """How a page's application is served."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=LEAVE_SECONDS,
    )


def run_server(
    server: uvicorn.Server, bound: socket.socket, until: threading.Event | None = None
) -> None:
    """Serve until Ctrl-C, or until an event is set."""
    if until is not None:
        threading.Thread(target=_ended_by, args=(until, server), daemon=True).start()
    with suppress(KeyboardInterrupt):  # that is how it is ended
        server.run(sockets=[bound])


def wait_for_runs(folders: Sequence[Path], given_up: threading.Event, every: float = 0.2) -> bool:
    """Wait until every folder holds a run; False where it was given up before."""
    while not given_up.is_set():
        try:
            run_folders(folders)
            return True
        except WatchError:
            given_up.wait(every)
    return False


def at_end_of_input() -> threading.Event:
    """An event that is set when standard input ends: as whoever started this process does."""
    ended = threading.Event()

    def read() -> None:
        while sys.stdin.buffer.read(4096):
            time.sleep(0)
        ended.set()

    threading.Thread(target=read, name="mgptn-parent", daemon=True).start()
    return ended


class _Server(uvicorn.Server):
    """As uvicorn's; who is told what is new is told of the end too, and does not hold it up."""

    def __init__(self, config: uvicorn.Config, shelf: Shelf) -> None:
        super().__init__(config)
        self._shelf = shelf

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._shelf.stop()
        await super().shutdown(sockets)


def _ended_by(event: threading.Event, server: uvicorn.Server) -> None:
    event.wait()
    server.should_exit = True


def bound_to(host: str, ports: Sequence[int]) -> socket.socket:
    """A socket at the first of some ports that can be had; 0 is any that is free.

    Raises
    ------
    WatchError
        If none can.
    """
    for tried in ports:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host.strip("[]"), tried))
            found.listen(MOST_CONNECTIONS)
        except OSError as error:
            found.close()
            why = error.strerror
            continue
        return found
    raise WatchError(f"{host}, port {tried}: expected an address that can be had, got: {why}")


def address_of(host: str, bound: socket.socket) -> str:
    """Of the page that is served at a socket."""
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{name}:{bound.getsockname()[1]}/"
