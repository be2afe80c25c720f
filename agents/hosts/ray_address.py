"""Addresses of Ray clusters: where one to join is from, and whether a cluster answers there."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

RAY_PORT = 6379

PROBE_SECONDS = 5.0
VARIABLE = "RAY_ADDRESS"

GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How a client of gRPC begins: HTTP/2's preface, and settings of which none is set."""

SETTINGS = 4
"""The kind of the frame that a server of HTTP/2 answers with first."""


@dataclass(frozen=True, slots=True)
class Joining:
    """A Ray cluster to join: its address, and whether the environment names it or the user."""

    address: str
    inherited: bool

    def told(self) -> str:
        """``a cluster at 10.0.0.1:6379``, with what to do about an address that nobody gave."""
        if not self.inherited:
            return f"a Ray cluster at {self.address}"
        return (
            f"a Ray cluster at {self.address}, which the environment variable {VARIABLE} names "
            f"(unset it to start Ray on this machine, or give --ray-address)"
        )


def cluster_to_join(address: str | None = None) -> Joining | None:
    """The cluster that a run with this address joins; None if it starts Ray here.

    Without an address, or for ``auto``, one that Ray itself announces counts: ``RAY_ADDRESS``, as
    in a submitted job. ``local`` is what it is to Ray: no cluster.
    """
    announced = os.environ.get(VARIABLE)
    if announced and (not address or address == "auto"):
        return None if announced == "local" else Joining(announced, inherited=True)
    return Joining(address, inherited=False) if address and address != "local" else None


def cluster_endpoint(address: str) -> tuple[str | None, int]:
    """Host and port of a Ray address; no host where there is none to be found.

    ``auto`` is what ``RAY_ADDRESS`` or this machine's last ``ray start`` says.
    """
    if address == "auto":
        address = os.environ.get(VARIABLE) or "auto"
    if address == "auto":
        here = Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir())) / "ray/ray_current_cluster"
        address = here.read_text(encoding="utf-8").strip() if here.is_file() else ""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return parts.hostname, parts.port or RAY_PORT
    except ValueError:  # a port that is no number
        return None, RAY_PORT


def check_answers(host: str | None, port: int, seconds: float = PROBE_SECONDS) -> None:
    """Refuse an address where no cluster answers: Ray would try it for minutes.

    All that a cluster opens speaks gRPC, and so greets whoever connects. Its version and token are
    not tried, and with TLS no greeting is waited for.

    Raises
    ------
    OSError
        If there is no such place, nothing listens there, or what does is silent, or is no cluster.
    """
    if host is None:
        raise ConnectionError("no host and port in it, and no cluster of this machine's")
    with socket.create_connection((host, port), timeout=seconds) as connection:
        if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
            return
        connection.sendall(GREETING)
        head = b""
        while len(head) < 4:
            try:
                more = connection.recv(9)
            except TimeoutError:
                raise TimeoutError(f"no word from {host}:{port} within {seconds:g} s") from None
            if not more:
                raise ConnectionError(f"{host}:{port} hung up")
            head += more
        if head[3] != SETTINGS:
            raise ConnectionError(f"{host}:{port} is something else than a Ray cluster")
