"""The fleet: the hosts of a run, and what supervises them. In this process, or as Ray actors."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from agents.host import Host, HostSettings
from agents.make_host import make_host
from agents.requests import Generate, Tile, TileReply

logger = logging.getLogger("mgptn.fleet")

ATTEMPTS = 3
"""Times that a tile is tried before the run is given up."""

PATIENCE = 60.0
"""Seconds of silence while hosts come up."""

IN_FLIGHT = 2
"""Tiles that a host has in hand, so that it never waits for the driver."""


class FleetError(RuntimeError):
    """The hosts cannot do the work: says which part of it, and what happened."""


class Fleet(Protocol):
    """Runs tiles; the replies do not depend on how many hosts there are."""

    restarts: int

    @property
    def alive(self) -> int:
        """Hosts that answer."""
        ...

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        ...

    def close(self) -> None:
        """End the hosts."""
        ...


def run_tile(host: Host, tile: Tile) -> TileReply:
    """Have a host do a tile, by the verb that its requests call for."""
    return host.generate(tile) if isinstance(tile.requests[0], Generate) else host.score(tile)


class LocalFleet:
    """One host in this process: for tests, notebooks and benchmarks."""

    alive = 1
    restarts = 0

    def __init__(self, settings: HostSettings) -> None:
        self.settings = settings
        self.host = make_host(settings)

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        return [run_tile(self.host, tile) for tile in tiles]

    def close(self) -> None:
        """Nothing to end."""


class RayFleet:
    """Hosts as Ray actors, on this machine or a cluster. A host that dies is replaced.

    Ray must have been started or joined (`start_ray`) before.

    Parameters
    ----------
    count
        Hosts, ≥ 1.
    gpus_per_host
        Share of a GPU that each host reserves; 0 on CPU.

    Raises
    ------
    FleetError
        If the hosts do not come up.
    """

    def __init__(self, settings: HostSettings, count: int, gpus_per_host: float = 0.0) -> None:
        import ray

        from agents.ray_host import HostActor

        cpus = ray.cluster_resources().get("CPU", 1.0)
        actor: Any = HostActor
        self._actor: Any = actor.options(
            num_cpus=1 if count <= cpus else round(0.99 * cpus / count, 3),
            num_gpus=gpus_per_host,
        )
        self.settings = settings
        self.restarts = 0
        self._hosts: list[Any] = [self._actor.remote(settings) for _ in range(count)]
        try:
            self._wait_until_ready()
        except ray.exceptions.RayError as error:
            self.close()
            raise FleetError(f"hosts: expected {count} hosts to come up, got: {error}") from error

    @property
    def alive(self) -> int:
        """Hosts that answer."""
        return len(self._hosts)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the hosts, on their own machines."""
        import ray

        return list(ray.get([host.process_id.remote() for host in self._hosts]))

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order, whatever order they arrive in.

        Raises
        ------
        FleetError
            If a tile's hosts die `ATTEMPTS` times over.
        """
        import ray

        replies: list[TileReply | None] = [None] * len(tiles)
        attempts = [0] * len(tiles)
        waiting = deque(range(len(tiles)))
        flying: dict[Any, tuple[int, int]] = {}
        load = [0] * len(self._hosts)
        while waiting or flying:
            while waiting and min(load) < IN_FLIGHT:
                host = load.index(min(load))
                tile = waiting.popleft()
                flying[self._hosts[host].run.remote(tiles[tile])] = (tile, host)
                load[host] += 1
            (done, *_), _ = ray.wait(list(flying), num_returns=1)
            tile, host = flying.pop(done)
            try:
                replies[tile] = ray.get(done)
                load[host] -= 1
            except ray.exceptions.RayActorError as death:
                lost = [tile]
                for other in [r for r, (_, h) in flying.items() if h == host]:
                    lost.append(flying.pop(other)[0])
                attempts[tile] += 1
                if attempts[tile] == ATTEMPTS:
                    raise FleetError(
                        f"tile {tile} of {len(tiles)}: expected a reply, got {ATTEMPTS} dead "
                        f"hosts in a row, the last with: {death}"
                    ) from death
                self._replace(host)
                load[host] = 0
                waiting.extendleft(sorted(lost, reverse=True))
        return [reply for reply in replies if reply is not None]

    def close(self) -> None:
        """End the hosts; Ray itself goes on."""
        import ray

        for host in self._hosts:
            ray.kill(host)
        self._hosts = []

    def _wait_until_ready(self) -> None:
        """Wait for every host, and say what is waited for where that takes long."""
        import ray

        coming = [host.ready.remote() for host in self._hosts]
        while coming:
            up, coming = ray.wait(coming, num_returns=len(coming), timeout=PATIENCE)
            ray.get(up)
            if coming:
                free = ray.available_resources()
                logger.warning(
                    "waiting for %d of %d hosts; the cluster has %g CPUs and %g GPUs free",
                    len(coming),
                    len(self._hosts),
                    free.get("CPU", 0),
                    free.get("GPU", 0),
                )

    def _replace(self, host: int) -> None:
        self._hosts[host] = self._actor.remote(self.settings)
        self.restarts += 1


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
            ray.init(address=address, **quiet)
            return False
        ray.init(
            address="local",  # and not whatever `ray start` has left on this machine
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            object_store_memory=256 * 2**20,
            **quiet,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = f"a Ray cluster at {address}" if address else "Ray to start on this machine"
        raise FleetError(f"ray: expected {where}, got: {error}") from error
    return True


def stop_ray() -> None:
    """End the Ray that `start_ray` started."""
    import ray

    ray.shutdown()


def host_count(wanted: int | str, device: str, agents: int, gpus_per_host: float) -> int:
    """How many hosts to start: a number, one per agent, or one a GPU or CPU core (at most 8)."""
    if wanted == "per-agent":
        return agents
    if wanted != "auto":
        return int(wanted)
    import ray

    resources = ray.cluster_resources()
    if device == "cuda":
        return max(1, int(resources.get("GPU", 0) / gpus_per_host))
    return max(1, min(8, int(resources.get("CPU", 1))))
