"""The Ray actor around a host. No logic of its own."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os

import ray

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.make_host import make_host
from mgptn.agents.requests import Tile, TileReply


@ray.remote(max_restarts=0, max_task_retries=0)
class HostActor:
    """A host in a process of its own. `load` comes before `run`."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings

    def begin(self) -> int:
        """Answers once there is a process, with its id on its machine."""
        return os.getpid()

    def load(self) -> None:
        """Answers once the model is loaded."""
        self._host = make_host(self._settings)

    def run(self, tile: Tile) -> TileReply:
        """Replies to one tile."""
        return run_tile(self._host, tile)
