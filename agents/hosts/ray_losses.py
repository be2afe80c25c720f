"""What is lost: which of Ray's errors mean a host, which are its tile's fault; and Ray itself.

Ray says in many ways that a host is gone, or that what it replied is: its process or machine died,
ran out of memory or disk, cannot be reached, or the reply was lost on the way. All are routine,
because another host gives the same reply. What the host's own code raised would be raised again.
Where Ray itself is gone there is no other host, and a minute later it ends this process too.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.ray_address import cluster_endpoint

OWN = (
    "UserCodeException",
    "CrossLanguageError",
    "UnserializableException",
    "OufOfBandObjectRefSerializationException",
)
"""Ray's names for what the code of a task did, wherever it is run; not every Ray has them all."""

HEAD, NODE = "gcs_server", "raylet"
"""Processes of Ray without which no host can be reached or started: a cluster's and a node's."""

REFUSED = 40.0
"""Seconds for which a cluster's head refuses connections before it is taken for gone. Some start
theirs anew; after 60 Ray ends this process."""

BETWEEN = 5.0
"""Seconds between two connections to a cluster's head."""


def is_loss(error: BaseException) -> bool:
    """Was a host lost, or its reply, through no fault of the tile's?

    A `RayTaskError` is a loss if Ray itself raised its cause in the host, as for a tile whose
    memory was lost before the host read it. Its cause is a bare `RayError` where what the host's
    code raised cannot be pickled: that is the tile's fault.
    """
    import ray.exceptions as known

    if isinstance(error, known.RayTaskError):
        cause = error.cause
        return not isinstance(cause, known.RayTaskError) and is_loss(cause)
    own = tuple(getattr(known, name) for name in OWN if hasattr(known, name))
    return (
        isinstance(error, known.RayError)
        and type(error) is not known.RayError
        and not isinstance(error, own)
    )


def in_a_line(error: BaseException | None) -> str:
    """What happened, in one line: Ray says more in many, and of a task its whole traceback."""
    import ray.exceptions as known

    if isinstance(error, known.RayTaskError):
        return in_a_line(error.cause)
    lines = str(error).split("\n")
    said = next((line.strip() for line in lines if line.strip()), "")
    return said if len(lines) == 1 and said else f"{type(error).__name__}: {said}".rstrip(": ")


class RayItself:
    """The Ray that a fleet is on: whether it is still there.

    Of a Ray that this process has started, its processes are looked at; of another, whether
    anything listens where its head was.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        import ray

        self._clock = clock
        host, port = cluster_endpoint(ray.get_runtime_context().gcs_address)
        self._place = host or "", port
        self._started = _started_here(ray.get_runtime_context().get_node_id())
        self._looked = self._answered = clock()

    def check(self) -> None:
        """Raise if Ray is gone.

        Raises
        ------
        FleetError
            Saying what of it is gone.
        """
        for process, name in self._started.items():
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise FleetError(
                    f"ray: expected it to go on, but its {name} (process {process.pid}) has ended"
                )
        now = self._clock()
        if self._started or now - self._looked < BETWEEN:
            return
        self._looked = now
        if not self._refuses():
            self._answered = now
        elif now - self._answered > REFUSED:
            host, port = self._place
            raise FleetError(
                f"ray: expected its cluster at {host}:{port} to go on, but nothing has listened "
                f"there for {now - self._answered:.0f} s"
            )

    def _refuses(self) -> bool:
        """Does nothing listen where the head was? Silence is no refusal: it may be busy."""
        try:
            with socket.create_connection(self._place, timeout=1.0):
                return False
        except ConnectionRefusedError:
            return True
        except OSError:
            return False


def _started_here(node: str) -> dict[psutil.Process, str]:
    """This process's head and node of Ray, with their names; it may have started other nodes."""
    found = {}
    for process in psutil.Process().children():
        with suppress(psutil.Error):
            name, told = process.name(), process.cmdline()
            if name == HEAD or (name == NODE and any(node in part for part in told)):
                found[process] = name
    return found
