"""A simulated cluster: hosts that come up, work, come late, die and reply, by a clock of its own.

It stands in for Ray (`mgptn.agents.hosts.ray_cluster`), and its errors are Ray's. Nothing really
waits: time goes on to what comes next as somebody waits for it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Supply, Tile, TileReply
from mgptn.experiments.bench.faults.kinds import (
    ALL_DIE,
    BACK,
    BROKEN,
    DIES,
    DOUBLED,
    FORWARD,
    GONE,
    HOST,
    LATE,
    LOOK,
    LOST,
    SENT,
    SLOW,
    TILE,
)
from mgptn.experiments.bench.faults.schedule import Due

MOST_LOOKS = 50_000
"""After which a run that still waits is taken to wait for ever."""

NOTICED = 2.0
"""Seconds at most until it is known that a host is dead."""


class StuckError(RuntimeError):
    """Somebody waits for what will never come."""


class SimulatedClock:
    """Seconds as a process sees them: they go on as it waits, and may jump."""

    def __init__(self) -> None:
        self.passed = self.jumped = 0.0

    def __call__(self) -> float:
        return self.passed + self.jumped


@dataclass(eq=False, slots=True)
class Promise:
    """A reply to come: when it does, and what it is, or why there is none."""

    actor: _Actor
    due: float
    reply: Callable[[], Any]


class _Actor:
    """A host. Each of its verbs is called as one of Ray's actors is: ``actor.run.remote(tile)``."""

    def __init__(self, cluster: SimulatedCluster, number: int) -> None:
        self.number = number
        self.dead: BaseException | None = None
        self.free = 0.0
        self.promises: list[Promise] = []
        for verb in ("begin", "load", "run"):
            ask = partial(cluster.ask, self, verb)
            setattr(self, verb, SimpleNamespace(remote=ask))

    def die(self, when: float, why: BaseException) -> None:
        """All that was not replied to by then never is."""

        def told() -> Any:
            raise why

        self.dead = why
        for promise in self.promises:
            if promise.due > when:
                promise.due, promise.reply = when, told


class SimulatedCluster:
    """Where hosts are, as of `mgptn.agents.hosts.ray_cluster.Cluster`.

    Parameters
    ----------
    run_tile
        What a host replies to a tile.
    due
        The faults.
    rng
        For how long everything takes, and what comes first of what is there.
    """

    def __init__(
        self, run_tile: Callable[[Tile], TileReply], due: Due, rng: np.random.Generator
    ) -> None:
        self.clock = SimulatedClock()
        self._run_tile, self._due, self._rng = run_tile, due, rng
        self._actors: list[_Actor] = []
        self._looks = 0
        self._gone = False

    def host(self, settings: HostSettings) -> Any:
        """A new actor."""
        self._actors.append(_Actor(self, len(self._actors)))
        actor = self._actors[-1]
        for fault in self._due.at(HOST):
            if fault.kind == LATE:
                actor.free = self.clock.passed + 10.0 ** (4.0 * fault.amount)
                self._due.strikes(fault, f"host {actor.number}, {actor.free:.0f} s")
            if fault.kind == BROKEN:
                self._due.strikes(fault, f"host {actor.number}")
                actor.die(0.0, self._failure(fault.amount))
        return actor

    def kill(self, actor: Any) -> None:
        """End a host."""
        self._check_there()
        actor.die(self.clock.passed, _errors()[0])

    def ask(self, actor: _Actor, verb: str, argument: Any = None) -> Promise:
        """Have a host do something, after all that it was asked before."""
        seconds = float(self._rng.exponential(0.5))
        reply: Callable[[], Any]
        if verb == "run":
            reply = partial(self._replied, argument)
        else:
            number = 1000 + actor.number if verb == "begin" else None
            reply = partial(lambda found: found, number)
        promise = Promise(actor, 0.0, reply)
        actor.promises.append(promise)
        if verb == "run":
            seconds = self._befall(promise, argument, seconds)
        actor.free = promise.due = max(actor.free, self.clock.passed) + seconds
        if actor.dead is not None:
            promise.due = math.inf
            actor.die(self.clock.passed + NOTICED * float(self._rng.random()), actor.dead)
        return promise

    def wait(self, promises: Sequence[Any], timeout: float) -> list[Any]:
        """As of `Cluster`: of several that are there, any may come first."""
        self._look()
        self._check_there()
        until = self.clock.passed + timeout
        first = min((promise.due for promise in promises), default=math.inf)
        if first > until:
            self.clock.passed = until
            return []
        self.clock.passed = max(self.clock.passed, first)
        there = [promise for promise in promises if promise.due <= self.clock.passed]
        return [there[int(self._rng.integers(len(there)))]]

    def get(self, promise: Any) -> Any:
        """As of `Cluster`."""
        return promise.reply()

    def put(self, numbers: bytes) -> Any:
        """As of `Cluster`: the bytes themselves, or none where they will be lost."""
        self._check_there()
        for fault in self._due.at(SENT):
            self._due.strikes(fault, f"{len(numbers)} bytes")
            return None
        return numbers

    def supply(self, places: Mapping[str, Any]) -> Supply:
        """As of `Cluster`."""
        there = dict(places)

        def supplied(content: str) -> bytes:
            numbers: bytes | None = there[content]
            if numbers is None:
                raise _errors()[1]
            return numbers

        return supplied

    def room(self) -> str:
        """As of `Cluster`."""
        return "the cluster is simulated"

    def check(self) -> None:
        """As of `Cluster`."""
        if self._gone:
            raise FleetError("ray: expected it to go on, but its gcs_server has ended (simulated)")

    def _check_there(self) -> None:
        if self._gone:
            raise _errors()[3]

    def _look(self) -> None:
        self._looks += 1
        if self._looks > MOST_LOOKS:
            raise StuckError("a fleet waits for what will never come")
        for fault in self._due.at(LOOK):
            if fault.kind == GONE:
                self._gone = True
                for actor in self._actors:
                    actor.die(self.clock.passed, _errors()[0])
                self._due.strikes(fault, f"after {self.clock.passed:.1f} s")
            else:
                most = 86_400.0 if fault.kind == FORWARD else -3_600.0
                self.clock.jumped += fault.amount * most
                assert fault.kind in (FORWARD, BACK)
                self._due.strikes(fault, f"by {fault.amount * most:.0f} s")

    def _befall(self, promise: Promise, tile: Tile, seconds: float) -> float:
        """What befalls a host with a tile; how long it takes."""
        actor = promise.actor
        for fault in self._due.at(TILE):
            what = f"host {actor.number}, with tile {self._due.counts[TILE] - 1}"
            if actor.dead is not None:
                continue
            self._due.strikes(fault, what)
            if fault.kind in (DIES, ALL_DIE):
                dying = self._actors if fault.kind == ALL_DIE else [actor]
                for one in dying:
                    one.die(self.clock.passed, self._failure(fault.amount))
            elif fault.kind == SLOW:
                seconds *= 10.0 ** (1.0 + 4.0 * fault.amount)
            elif fault.kind == LOST:
                promise.reply = partial(self._raise, self._failure(fault.amount))
            elif fault.kind == DOUBLED:
                promise.reply = partial(self._twice, tile)
            assert fault.kind in (DIES, ALL_DIE, SLOW, LOST, DOUBLED)
        return seconds

    def _replied(self, tile: Tile) -> TileReply:
        """What a host makes of a tile; what Ray raises in a host comes as a task's error."""
        import ray.exceptions as known

        try:
            return self._run_tile(tile)
        except known.RayError as error:
            traced = f"Traceback (most recent call last):\n  simulated\n{error!r}"
            raise known.RayTaskError("run", traced, error).as_instanceof_cause() from None

    def _twice(self, tile: Tile) -> TileReply:
        self._replied(tile)
        return self._replied(tile)

    def _raise(self, error: BaseException) -> Any:
        raise error

    def _failure(self, amount: float) -> BaseException:
        """One of the ways in which Ray says that a host or its reply is gone."""
        ways = _errors()
        return ways[int(amount * len(ways))]


def _errors() -> list[BaseException]:
    """A few of Ray's errors, each anew."""
    import ray.exceptions as known

    return [
        known.ActorDiedError(),
        known.ObjectLostError("00", None, ""),
        known.WorkerCrashedError(),
        known.RaySystemError("simulated"),
        known.OutOfMemoryError("simulated"),
        known.NodeDiedError("simulated"),
        known.ActorUnavailableError("simulated", None),
        known.LocalRayletDiedError("simulated"),
    ]
