"""Hosts that are coming up on Ray: placed, loaded, counted in, or given up.

A host that comes up slowly is not one that cannot. Whether Ray has found it a place and started its
process is told apart from whether it has loaded its model, so that it can be said what is waited
for; and each may take as long as `patience` says.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.patience import Patience, Waiting
from mgptn.agents.hosts.ray_cluster import Cluster
from mgptn.agents.hosts.ray_losses import in_a_line, is_loss

logger = logging.getLogger("mgptn.fleet")

ATTEMPTS = 3
"""Hosts in a row that may be lost with a tile, or while coming up, before the run is given up."""

PLACE, LOAD = "find a place", "load its model"
"""What a host does that is coming up."""


@dataclass(frozen=True, slots=True)
class RayHost:
    """A host that has come up.

    Attributes
    ----------
    number
        In the order in which hosts were asked for.
    actor
        Its handle.
    process
        Its process's id on its machine.
    """

    number: int
    actor: Any
    process: int


@dataclass(slots=True)
class _Coming:
    number: int
    actor: Any
    waiting: Waiting
    process: int = 0


class Arrivals:
    """Hosts that were asked for and have not come up yet.

    Parameters
    ----------
    cluster
        Where they are started.
    """

    def __init__(self, cluster: Cluster, settings: HostSettings, patience: Patience) -> None:
        self._cluster = cluster
        self._settings = settings
        self._patience = patience
        self._numbers = itertools.count()
        self._coming: dict[Any, _Coming] = {}
        self._failed = 0

    def __len__(self) -> int:
        return len(self._coming)

    def __contains__(self, promise: Any) -> bool:
        return promise in self._coming

    @property
    def promises(self) -> list[Any]:
        """Of each host that is coming up, the reply that is waited for."""
        return list(self._coming)

    def ask_for_one(self) -> None:
        """Have Ray start one more host."""
        actor = self._cluster.host(self._settings)
        waiting = Waiting(self._patience, PLACE)
        self._coming[actor.begin.remote()] = _Coming(next(self._numbers), actor, waiting)

    def arrive(self, promise: Any) -> RayHost | None:
        """Take in a reply: the host, if it has come up with it.

        Another is asked for in place of one that has died on the way or cannot load its model.

        Raises
        ------
        FleetError
            If that has happened `ATTEMPTS` times in a row.
        """
        import ray

        one = self._coming.pop(promise)
        try:
            reply = self._cluster.get(promise)
        except ray.exceptions.RayTaskError as fault:
            self._instead_of(one, fault if is_loss(fault) else fault.cause)
            return None
        except ray.exceptions.RayError as death:
            self._instead_of(one, death)
            return None
        one.waiting.done()
        if one.waiting.kind == PLACE:
            one.process, one.waiting = reply, Waiting(self._patience, LOAD)
            self._coming[one.actor.load.remote()] = one
            return None
        self._failed = 0
        return RayHost(one.number, one.actor, one.process)

    def look(self, *, needed: bool) -> None:
        """Tell of hosts that take oddly long; replace those that take too long.

        Parameters
        ----------
        needed
            Is there no host but these, and was there one before?

        Raises
        ------
        FleetError
            If Ray finds no place for a host that is needed, or they come up too slowly `ATTEMPTS`
            times in a row.
        """
        for promise, one in list(self._coming.items()):
            waiting = one.waiting
            if waiting.worth_telling():
                how_long = waiting.told() if needed else f"{waiting.seconds:.0f} s so far"
                logger.warning(
                    "waiting for host %d to %s: %s; %s",
                    one.number, waiting.kind, how_long, self._cluster.room(),
                )  # fmt: skip
            if not needed or not waiting.over:
                continue
            if waiting.kind == PLACE:
                raise FleetError(
                    f"hosts: expected Ray to start one after all had died, got none within "
                    f"{waiting.told()}; {self._cluster.room()}; hosts.patience is what may be "
                    "waited for at least"
                )
            del self._coming[promise]
            self._instead_of(one, TimeoutError(f"it did not load its model in {waiting.told()}"))

    def close(self) -> None:
        """End those that are on their way."""
        import ray

        for one in self._coming.values():
            with suppress(ray.exceptions.RayError):  # where Ray is gone, so are they
                self._cluster.kill(one.actor)
        self._coming = {}

    def _instead_of(self, one: _Coming, why: BaseException | None) -> None:
        """Ask for another host in place of one that has not come up."""
        self._cluster.kill(one.actor)
        self._failed += 1
        if self._failed == ATTEMPTS:
            raise FleetError(
                f"hosts: expected them to come up, got {ATTEMPTS} in a row that did not, the last "
                f"with: {in_a_line(why)}"
            ) from why
        self.ask_for_one()
