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
    """A host in a process of its own."""

    def __init__(self, settings: HostSettings) -> None:
        self._host = make_host(settings)

    def ready(self) -> bool:
        """Answers once the model is loaded."""
        return True

    def process_id(self) -> int:
        """Of this host, on its machine."""
        return os.getpid()

    def run(self, tile: Tile) -> TileReply:
        """Replies to one tile."""
        return run_tile(self._host, tile)
