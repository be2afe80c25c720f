"""Ray itself: started on this machine, or joined."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mgptn.agents.hosts.fleet import FleetError

RAY_PORT = 6379
PROBE_SECONDS = 5.0


def cluster_endpoint(address: str) -> tuple[str | None, int]:
    """Host and port of a Ray address; no host where there is none to be found.

    ``auto`` is what ``RAY_ADDRESS`` or this machine's last ``ray start`` says.
    """
    if address == "auto":
        here = Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir())) / "ray/ray_current_cluster"
        address = os.environ.get("RAY_ADDRESS") or (here.read_text() if here.is_file() else "")
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return parts.hostname, parts.port or RAY_PORT
    except ValueError:  # a port that is no number
        return None, RAY_PORT


def start_ray(address: str | None = None) -> bool:
    """Join the Ray cluster at an address, or start one on this machine.

    Without an address, a cluster that Ray itself announces (``RAY_ADDRESS``, as in a submitted
    job) is joined. Returns whether one was started here, and is to be ended by `stop_ray`.

    Raises
    ------
    FleetError
        If there is no cluster at the address.
    """
    import ray

    if ray.is_initialized():
        return False
    address = address or os.environ.get("RAY_ADDRESS")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address:
            _check_answers(address)
            ray.init(address=address, **quiet)
            return False
        ray.init(
            address="local",  # and not whatever `ray start` has left on this machine
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            object_store_memory=256 * 2**20,
            **quiet,
        )
    except (ray.exceptions.RayError, RuntimeError, ValueError, OSError) as error:
        where = f"a Ray cluster at {address}" if address else "Ray to start on this machine"
        raise FleetError(f"ray: expected {where}, got: {error}") from error
    return True


def _check_answers(address: str) -> None:
    """Refuse an address where nothing answers: Ray would try it for minutes."""
    host, port = cluster_endpoint(address)
    if host is None:
        raise ConnectionError("no host and port in it, and no cluster of this machine's")
    with socket.create_connection((host, port), timeout=PROBE_SECONDS):
        pass


def stop_ray() -> None:
    """End the Ray that `start_ray` started."""
    import ray

    ray.shutdown()
