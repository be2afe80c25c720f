"""The fleet of a run as Ray actors: hands out tiles, and replaces hosts that are lost."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray_losses import is_loss
from mgptn.agents.requests import Tile, TileReply

logger = logging.getLogger("mgptn.fleet")

ATTEMPTS = 3
"""Hosts in a row that may be lost with a tile, or while coming up, before the run is given up."""

PATIENCE = 60.0
"""Seconds that are waited for a host to come up where none is left; and between two warnings."""

IN_FLIGHT = 2
"""Tiles that a host has in hand, so that it never waits for the driver."""


class RaySupply:
    """Numbers in Ray's store, which come to a host when it asks for them."""

    def __init__(self, places: dict[str, Any]) -> None:
        self._places = places

    def __call__(self, content: str) -> bytes:
        """The bytes with a hash."""
        import ray

        numbers: bytes = ray.get(self._places[content])
        return numbers


class RayFleet:
    """Hosts as Ray actors, on this machine or a cluster. A host that is lost is replaced.

    Tiles go only to hosts that have come up, so that a replacement that finds no room (its machine
    is gone, say) leaves the work to the hosts that are left. Ray must have been started or joined
    (`mgptn.agents.hosts.ray_session.start_ray`) before.

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

        from mgptn.agents.hosts.ray_host import HostActor

        cpus = ray.cluster_resources().get("CPU", 1.0)
        actor: Any = HostActor
        self._actor: Any = actor.options(
            num_cpus=1 if count <= cpus else round(0.99 * cpus / count, 3),
            num_gpus=gpus_per_host,
        )
        self.settings = settings
        self.restarts = 0
        self._numbers = itertools.count()
        self._live: dict[int, Any] = {}
        self._coming: dict[Any, tuple[int, Any]] = {}
        self._stillborn = 0
        self._sent: dict[str, Any] = {}
        for _ in range(count):
            self._start_one()
        try:
            self._wait_for_all()
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> int:
        """Hosts that have come up and are not known to be dead."""
        return len(self._live)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the hosts, on their own machines; waits for those that are coming up."""
        import ray

        self._wait_for_all()
        return list(ray.get([host.process_id.remote() for host in self._live.values()]))

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order, whatever order they arrive in.

        Raises
        ------
        FleetError
            If `ATTEMPTS` hosts in a row are lost with a tile, or no host is left and none comes up.
        """
        import ray

        replies: dict[int, TileReply] = {}
        attempts: Counter[int] = Counter()
        waiting = deque(range(len(tiles)))
        tiles = self._supplied(tiles)
        flying: dict[Any, tuple[int, int]] = {}
        while waiting or flying:
            self._hand_out(tiles, waiting, flying)
            done = self._next(flying)
            if done in self._coming:
                self._arrive(done)
                continue
            tile, host = flying.pop(done)
            try:
                reply: TileReply = ray.get(done)
                reply.work.host_restarts = attempts[tile]
                replies[tile] = reply
            except ray.exceptions.RayError as death:
                if not is_loss(death):
                    raise
                lost = [tile]
                for other in [r for r, (_, h) in flying.items() if h == host]:
                    lost.append(flying.pop(other)[0])
                attempts[tile] += 1
                if attempts[tile] == ATTEMPTS:
                    raise FleetError(
                        f"tile {tile} of {len(tiles)}: expected a reply, got {ATTEMPTS} lost "
                        f"hosts in a row, the last with: {death}"
                    ) from death
                # It need not be dead, if only its reply is lost: its place is its successor's.
                ray.kill(self._live.pop(host))
                self.restarts += 1
                self._start_one()
                waiting.extendleft(sorted(lost, reverse=True))
        return [replies[tile] for tile in range(len(tiles))]

    def _supplied(self, tiles: Sequence[Tile]) -> list[Tile]:
        """Tiles whose numbers are found in Ray's store, where each file is put once."""
        import ray

        needed: dict[str, Any] = {}
        supplied = []
        for tile in tiles:
            contents = tile.contents() if tile.supply is not None else ()
            for content in contents:
                assert tile.supply is not None
                if content not in needed:
                    kept = self._sent.get(content)
                    needed[content] = ray.put(tile.supply(content)) if kept is None else kept
            own = RaySupply({content: needed[content] for content in contents})
            supplied.append(replace(tile, supply=own) if contents else tile)
        # What was sent is kept for the next time, and no longer.
        self._sent = needed or self._sent
        return supplied

    def close(self) -> None:
        """End the hosts; Ray itself goes on."""
        import ray

        for host in (*self._live.values(), *(host for _, host in self._coming.values())):
            ray.kill(host)
        self._live, self._coming = {}, {}

    def _hand_out(
        self, tiles: Sequence[Tile], waiting: deque[int], flying: dict[Any, tuple[int, int]]
    ) -> None:
        """Give waiting tiles to the hosts that have the least in hand."""
        load = Counter(dict.fromkeys(self._live, 0))
        load.update(host for _, host in flying.values())
        while waiting and self._live:
            host = min(self._live, key=lambda number: load[number])
            if load[host] >= IN_FLIGHT:
                return
            tile = waiting.popleft()
            flying[self._live[host].run.remote(tiles[tile])] = (tile, host)
            load[host] += 1

    def _next(self, flying: dict[Any, tuple[int, int]]) -> Any:
        """The next reply, or the next host to come up or to fail to."""
        import ray

        patience = None if flying else PATIENCE
        done, _ = ray.wait([*flying, *self._coming], num_returns=1, timeout=patience)
        if not done:
            raise FleetError(
                f"hosts: expected one to come up within {PATIENCE:g} s after all had died, got "
                f"none; {self._room()}"
            )
        return done[0]

    def _start_one(self) -> None:
        host = self._actor.remote(self.settings)
        self._coming[host.ready.remote()] = (next(self._numbers), host)

    def _arrive(self, ready: Any) -> None:
        """Count a host in, or start another in its place if it died on the way."""
        import ray

        number, host = self._coming.pop(ready)
        try:
            ray.get(ready)
        except ray.exceptions.RayError as death:
            if not is_loss(death):
                raise
            ray.kill(host)
            self._stillborn += 1
            if self._stillborn == ATTEMPTS:
                raise FleetError(
                    f"hosts: expected them to come up, got {ATTEMPTS} in a row that did not, the "
                    f"last with: {death}"
                ) from death
            self._start_one()
            return
        self._stillborn = 0
        self._live[number] = host

    def _wait_for_all(self) -> None:
        """Wait for every host, and say what is waited for where that takes long."""
        import ray

        while self._coming:
            done, _ = ray.wait(list(self._coming), num_returns=1, timeout=PATIENCE)
            if done:
                self._arrive(done[0])
            else:
                logger.warning("waiting for %d more hosts; %s", len(self._coming), self._room())

    def _room(self) -> str:
        import ray

        free = ray.available_resources()
        return f"the cluster has {free.get('CPU', 0):g} CPUs and {free.get('GPU', 0):g} GPUs free"
