"""The fleet of a run as Ray actors: hands out tiles, and replaces hosts that are lost or hang."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from mgptn.agents.hosts.fleet import FleetError, Stream, verb_of
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.patience import LEAST, Patience, Waiting
from mgptn.agents.hosts.ray_arrivals import ATTEMPTS, Arrivals, RayHost
from mgptn.agents.hosts.ray_cluster import Cluster, RayCluster
from mgptn.agents.hosts.ray_losses import in_a_line, is_loss
from mgptn.agents.requests import Tile, TileReply

logger = logging.getLogger("mgptn.fleet")

LOOK = 1.0
"""Seconds between two looks at what hosts, and Ray, are about."""

IN_FLIGHT = 2
"""Tiles that a host has in hand, so that it never waits for the driver."""


class RayFleet:
    """Hosts as Ray actors, on this machine or a cluster. A host that is lost or hangs is replaced.

    Tiles go only to hosts that have come up, so that a replacement that finds no room (its machine
    is gone, say) leaves the work to the hosts that are left. Ray must have been started or joined
    (`mgptn.agents.hosts.ray.session.start_ray`) before.

    Parameters
    ----------
    count
        Hosts, ≥ 1.
    gpus_per_host
        Share of a GPU that each host reserves; 0 on CPU.
    patience
        Seconds that a host may at least take for anything, as of `patience`.
    cluster
        Where hosts are; Ray, if not given.

    Raises
    ------
    FleetError
        If the hosts do not come up.
    """

    def __init__(
        self,
        settings: HostSettings,
        count: int,
        gpus_per_host: float = 0.0,
        patience: float = LEAST,
        cluster: Cluster | None = None,
    ) -> None:
        self.settings, self.restarts = settings, 0
        self._cluster = RayCluster(count, gpus_per_host) if cluster is None else cluster
        self._patience = Patience(patience, self._cluster.clock)
        self._arrivals = Arrivals(self._cluster, settings, self._patience)
        self._live: dict[int, RayHost] = {}
        self._sent: dict[str, Any] = {}
        self._looked = self._patience.now()
        self._count, self._resting = count, True
        try:
            with self._going_on():
                self._rise()
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
        self._wait_for_all()
        return [host.process for host in self._live.values()]

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order, whatever order they arrive in.

        Raises
        ------
        FleetError
            If `ATTEMPTS` hosts in a row are lost with a tile, no host is left and none comes up, or
            Ray itself is gone.
        """
        work = _Work()
        with self._going_on():
            if tiles:
                self._rise()
            work.add(self._supplied(tiles, {}))
            self._run(work, lambda place, reply: ())
        return work.collected()

    def stream(self, stream: Stream) -> None:
        """Have all tiles of a stream replied to; hosts have further ones as soon as they are known.

        Raises
        ------
        FleetError
            As of `run`.
        """
        work, needed = _Work(), dict[str, Any]()

        def take(place: int, reply: TileReply) -> Sequence[Tile]:
            return self._supplied(stream.take(place, reply), needed)

        with self._going_on():
            begun = stream.begin()
            if begun:
                self._rise()
            work.add(self._supplied(begun, needed))
            work.hand_out(self._live, self._patience)
            stream.meanwhile()
            self._run(work, take)

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """What Ray raises of itself is a `FleetError`."""
        import ray

        try:
            yield
        except ray.exceptions.RayTaskError:  # what the tile itself raised
            raise
        except ray.exceptions.RayError as error:
            self._cluster.check()
            raise FleetError(f"ray: expected it to go on, got: {in_a_line(error)}") from error

    def _run(self, work: _Work, further: Callable[[int, TileReply], Sequence[Tile]]) -> None:
        """Have all tiles replied to, and those that replies call for."""
        import ray

        while not work.done:
            work.hand_out(self._live, self._patience)
            promise = self._next(work)
            if promise is None:
                continue
            if promise in self._arrivals:
                self._arrive(promise)
                continue
            try:
                reply = self._cluster.get(promise)
            except ray.exceptions.RayError as death:
                if not is_loss(death):
                    raise
                number = work.flying[promise][1]
                logger.warning("host %d is lost, and another started: %s", number, in_a_line(death))
                self._lose(work, number, promise, death)
                continue
            place = work.take(promise, reply, self._patience)
            # So that its host does not wait for what is to come of its reply.
            work.hand_out(self._live, self._patience)
            work.add(further(place, reply))

    def rest(self) -> None:
        """End the hosts, so that others have their GPUs and memory; as many come with new work."""
        self.close()
        self._resting = True

    def _rise(self) -> None:
        """Have the hosts come up that were let go, however long it takes to find them room."""
        if self._resting:
            self._resting = False
            for _ in range(self._count):
                self._arrivals.ask_for_one()
            self._wait_for_all()

    def close(self) -> None:
        """End the hosts; Ray itself goes on."""
        import ray

        self._arrivals.close()
        for host in self._live.values():
            with suppress(ray.exceptions.RayError):  # where Ray is gone, so are they
                self._cluster.kill(host.actor)
        self._live = {}

    def _supplied(self, tiles: Sequence[Tile], needed: dict[str, Any]) -> list[Tile]:
        """Tiles whose numbers are found in Ray's store, where each file is put once.

        Parameters
        ----------
        needed
            Where those are that the tiles before these have needed; theirs are added.
        """
        supplied = []
        for tile in tiles:
            contents = tile.contents() if tile.supply is not None else ()
            for content in contents:
                assert tile.supply is not None
                if content not in needed:
                    kept = self._sent.get(content)
                    needed[content] = (
                        self._cluster.put(tile.supply(content)) if kept is None else kept
                    )
            own = self._cluster.supply({content: needed[content] for content in contents})
            supplied.append(replace(tile, supply=own) if contents else tile)
        # What was sent is kept for the next time, and no longer.
        self._sent = needed or self._sent
        return supplied

    def _next(self, work: _Work) -> Any:
        """The next reply, or the next of a host that is coming up; None if there is none yet."""

        if self._patience.now() - self._looked >= LOOK:
            self._cluster.check()
            self._arrivals.look(needed=not self._live)
            self._look_at_work(work)
            self._looked = self._patience.now()
        waited_for = [*work.flying, *self._arrivals.promises]
        done = self._cluster.wait(waited_for, LOOK)
        return done[0] if done else None

    def _look_at_work(self, work: _Work) -> None:
        """Tell of hosts that are oddly silent, and replace those that have been for too long."""

        for number, waiting in list(work.silent.items()):
            if waiting.worth_telling():
                who = f"host {number} (process {self._live[number].process})"
                logger.warning("%s owes a tile to %s for %s", who, waiting.kind, waiting.told())
            if waiting.over and not self._cluster.wait(work.of(number), 0.0):
                logger.warning("host %d is given up, and another started", number)
                hung = TimeoutError(f"host {number} did not reply for {waiting.told()}")
                self._lose(work, number, work.of(number)[0], hung)

    def _lose(self, work: _Work, number: int, promise: Any, why: BaseException) -> None:
        """Have another host come in place of one that is lost with a tile."""

        self._cluster.check()
        tile = work.lose(number, promise)
        if work.attempts[tile] == ATTEMPTS:
            raise FleetError(
                f"tile {tile} of {len(work.tiles)}: expected a reply, got {ATTEMPTS} lost hosts in "
                f"a row, the last with: {in_a_line(why)}"
            ) from why
        # It need not be dead, if only its reply is lost: its place is its successor's.
        self._cluster.kill(self._live.pop(number).actor)
        self.restarts += 1
        self._arrivals.ask_for_one()

    def _arrive(self, promise: Any) -> None:
        host = self._arrivals.arrive(promise)
        if host is not None:
            self._live[host.number] = host

    def _wait_for_all(self) -> None:
        """Wait for every host, however long: a cluster may grow on demand."""

        while self._arrivals:
            done = self._cluster.wait(self._arrivals.promises, LOOK)
            self._cluster.check()
            self._arrivals.look(needed=False)
            for promise in done:
                self._arrive(promise)


class _Work:
    """The tiles of one call: waiting, in the hands of hosts, and replied to.

    Attributes
    ----------
    flying
        Promise → tile and host.
    silent
        Host → how long it has had a tile in hand without a reply.
    attempts
        Hosts that were lost with a tile.
    """

    def __init__(self) -> None:
        self.tiles: list[Tile] = []
        self.flying: dict[Any, tuple[int, int]] = {}
        self.silent: dict[int, Waiting] = {}
        self.attempts: Counter[int] = Counter()
        self._waiting: deque[int] = deque()
        self._replies: dict[int, TileReply] = {}

    def add(self, tiles: Sequence[Tile]) -> None:
        """Further tiles, after all that there are."""
        self._waiting.extend(range(len(self.tiles), len(self.tiles) + len(tiles)))
        self.tiles += tiles

    @property
    def done(self) -> bool:
        """Has every tile been replied to?"""
        return not self._waiting and not self.flying

    def hand_out(self, live: dict[int, RayHost], patience: Patience) -> None:
        """Give waiting tiles to the hosts that have the least in hand."""
        load = Counter(dict.fromkeys(live, 0))
        load.update(host for _, host in self.flying.values())
        while self._waiting and live:
            number = min(live, key=lambda host: load[host])
            if load[number] >= IN_FLIGHT:
                return
            tile = self._waiting.popleft()
            self.flying[live[number].actor.run.remote(self.tiles[tile])] = (tile, number)
            load[number] += 1
            if number not in self.silent:
                self._begin(number, tile, patience)

    def of(self, number: int) -> list[Any]:
        """What a host is to reply to, in the order in which it was given it."""
        return [promise for promise, (_, host) in self.flying.items() if host == number]

    def take(self, promise: Any, reply: TileReply, patience: Patience) -> int:
        """Take in a reply, and say to which tile; a host does one after another, so now it is at
        its next."""
        tile, number = self.flying.pop(promise)
        reply.work.host_restarts = self.attempts[tile]
        self._replies[tile] = reply
        self.silent.pop(number).done()
        for further in self.of(number)[:1]:
            self._begin(number, self.flying[further][0], patience)
        return tile

    def lose(self, number: int, promise: Any) -> int:
        """Take back what a host had in hand; the tile that it was lost with."""
        tile = self.flying[promise][0]
        lost = sorted(self.flying.pop(one)[0] for one in self.of(number))
        self._waiting.extendleft(reversed(lost))
        self.silent.pop(number, None)
        self.attempts[tile] += 1
        return tile

    def _begin(self, number: int, tile: int, patience: Patience) -> None:
        self.silent[number] = Waiting(patience, verb_of(self.tiles[tile]))

    def collected(self) -> list[TileReply]:
        """The replies, in the tiles' order."""
        return [self._replies[tile] for tile in range(len(self.tiles))]
