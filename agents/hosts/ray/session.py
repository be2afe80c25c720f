"""Ray itself: started on this machine, or joined."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import Any

import psutil

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.ray.seclusion import check_secluded, secluded
from mgptn.agents.hosts.ray.thrift import spared
from mgptn.agents.hosts.ray_address import check_answers, cluster_endpoint, cluster_to_join

logger = logging.getLogger("mgptn.fleet")

STARTS = 3
"""Times that Ray is started here: it gives itself 30 s, which a busy machine may need and more."""

_own = ExitStack()
"""What ends with the Ray that was started here: a process has one at most."""


def start_ray(
    address: str | None = None, preloaded: Sequence[str] = (), *, storing: bool = False
) -> bool:
    """Join the Ray cluster at an address, or start one on this machine, which is secluded.

    Which of the two, and which cluster, is as of `cluster_to_join`. Returns whether one was
    started here, and is to be ended by `stop_ray`. What a cluster wants to be joined, such as a
    token, is as the environment says.

    Parameters
    ----------
    preloaded
        Modules that workers of a Ray that is started here import as they come up.
    storing
        Will much be put into its store? Then what the store may hold is taken at once: shared
        memory that runs out later would end Ray, and this process with it, without a word.

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
                    _start_here(quiet, preloaded, storing)
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


def _start_here(quiet: dict[str, Any], preloaded: Sequence[str], storing: bool) -> None:
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
                _system_config={
                    "preload_python_modules": list(preloaded),
                    "preallocate_plasma_memory": storing,
                },
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


def stop_ray() -> None:
    """End the Ray that `start_ray` started, and remove what it wrote."""
    _own.close()
