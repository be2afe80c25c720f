"""What a fleet asks of Ray, in one place: hosts, their replies, bytes, and whether it is there."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray_losses import RayItself
from mgptn.agents.requests import Supply


class Cluster(Protocol):
    """Where hosts are. Errors are Ray's own; a promise is a reply to come, hashable.

    Attributes
    ----------
    clock
        Seconds that never go back.
    """

    @property
    def clock(self) -> Callable[[], float]: ...

    def host(self, settings: HostSettings) -> Any:
        """A new actor, as of `mgptn.agents.hosts.ray_host.HostActor`."""
        ...

    def kill(self, actor: Any) -> None:
        """End an actor; one that is dead is none the worse."""
        ...

    def wait(self, promises: Sequence[Any], timeout: float) -> list[Any]:
        """One promise that is kept or broken, or none within so many seconds."""
        ...

    def get(self, promise: Any) -> Any:
        """A reply; raises what the host raised, or what became of it."""
        ...

    def put(self, numbers: bytes) -> Any:
        """Where bytes are, for hosts to come and get them."""
        ...

    def supply(self, places: Mapping[str, Any]) -> Supply:
        """What hosts get bytes by, from where each hash was put."""
        ...

    def room(self) -> str:
        """What is left for hosts, in few words."""
        ...

    def check(self) -> None:
        """Raise a `FleetError` if the cluster itself is gone."""
        ...


class RaySupply:
    """Numbers in Ray's store, which come to a host when it asks for them."""

    def __init__(self, places: Mapping[str, Any]) -> None:
        self._places = dict(places)

    def __call__(self, content: str) -> bytes:
        """The bytes with a hash."""
        import ray

        numbers: bytes = ray.get(self._places[content])
        return numbers


class RayCluster:
    """The Ray that this process has started or joined.

    Parameters
    ----------
    count
        Hosts that are to share it.
    gpus_per_host
        Share of a GPU that each reserves.
    """

    clock = staticmethod(time.monotonic)

    def __init__(self, count: int, gpus_per_host: float) -> None:
        import ray

        from mgptn.agents.hosts.ray_host import HostActor

        cpus = ray.cluster_resources().get("CPU", 1.0)
        share = 1 if count <= cpus else round(0.99 * cpus / count, 3)
        actor: Any = HostActor
        self._actor = actor.options(num_cpus=share, num_gpus=gpus_per_host)
        self._ray = RayItself()

    def host(self, settings: HostSettings) -> Any:
        """A new actor, that reserves its share."""
        return self._actor.remote(settings)

    def kill(self, actor: Any) -> None:
        """End an actor."""
        import ray

        ray.kill(actor)

    def wait(self, promises: Sequence[Any], timeout: float) -> list[Any]:
        """As of `Cluster`."""
        import ray

        done: list[Any] = ray.wait(list(promises), num_returns=1, timeout=timeout)[0]
        return done

    def get(self, promise: Any) -> Any:
        """A reply."""
        import ray

        return ray.get(promise)

    def put(self, numbers: bytes) -> Any:
        """Put bytes into Ray's store."""
        import ray

        return ray.put(numbers)

    def supply(self, places: Mapping[str, Any]) -> Supply:
        """From Ray's store."""
        return RaySupply(places)

    def room(self) -> str:
        """What Ray has left for hosts."""
        import ray

        free = ray.available_resources()
        return f"the cluster has {free.get('CPU', 0):g} CPUs and {free.get('GPU', 0):g} GPUs free"

    def check(self) -> None:
        """Raise if Ray is gone."""
        self._ray.check()
