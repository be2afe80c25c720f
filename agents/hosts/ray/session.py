"""Ray itself: started on this machine, or joined; and where an address to join is from."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.ray.seclusion import check_secluded, secluded
from mgptn.agents.hosts.ray.thrift import spared

logger = logging.getLogger("mgptn.fleet")

RAY_PORT = 6379
STARTS = 3
"""Times that Ray is started here: it gives itself 30 s, which a busy machine may need and more."""

PROBE_SECONDS = 5.0
VARIABLE = "RAY_ADDRESS"

GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""How a client of gRPC begins: HTTP/2's preface, and settings of which none is set."""

SETTINGS = 4
"""The kind of the frame that a server of HTTP/2 answers with first."""

_own = ExitStack()
"""What ends with the Ray that was started here: a process has one at most."""


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


def start_ray(address: str | None = None, preloaded: Sequence[str] = ()) -> bool:
    """Join the Ray cluster at an address, or start one on this machine, which is secluded.

    Which of the two, and which cluster, is as of `cluster_to_join`. Returns whether one was
    started here, and is to be ended by `stop_ray`. What a cluster wants to be joined, such as a
    token, is as the environment says.

    Parameters
    ----------
    preloaded
        Modules that workers of a Ray that is started here import as they come up.

    Raises
    ------
    FleetError
        If there is no cluster at the address; it says where the address is from.
    """
    import ray

    if ray.is_initialized():
        return False
    joining = cluster_to_join(address)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if joining is not None:
            check_answers(*cluster_endpoint(joining.address))
            ray.init(address=joining.address, **quiet)
            return False
        for attempt in range(1, STARTS + 1):
            try:
                with spared() if attempt == 1 else nullcontext():
                    _start_here(quiet, preloaded)
                return True
            except Exception as error:
                # So Ray says that this machine took longer than it waits; its time is not ours. And
                # of what it is spared, anything may be the matter.
                own = type(error) is Exception or (attempt == 1 and not isinstance(error, OSError))
                if not own or attempt == STARTS:
                    raise
                logger.warning("Ray did not start; starting it again: %s", error)
    except Exception as error:
        where = joining.told() if joining else "Ray to start on this machine"
        raise FleetError(f"ray: expected {where}, got: {error}") from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def _start_here(quiet: dict[str, Any], preloaded: Sequence[str]) -> None:
    """Start a Ray on this machine that is ended by `stop_ray`."""
    import ray

    with ExitStack() as stack:
        folder = stack.enter_context(secluded())
        stack.callback(ray.shutdown)
        try:
            ray.init(
                address="local",  # and not whatever `ray start` has left on this machine
                num_cpus=usable_cpus(),
                include_dashboard=False,
                object_store_memory=256 * 2**20,
                _temp_dir=str(folder),
                _system_config={"preload_python_modules": list(preloaded)},
                **quiet,
            )
        except BaseException:
            _end_processes(folder)
            raise
        check_secluded()
        _own.enter_context(stack.pop_all())


def _end_processes(folder: Path) -> None:
    """End what Ray has started with a folder, and does not know of where it has failed to start."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(str(folder) in part for part in process.cmdline()):
                process.kill()


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


def stop_ray() -> None:
    """End the Ray that `start_ray` started, and remove what it wrote."""
    _own.close()
