"""Work for verdicts on the machines of a Ray cluster, beside the hosts that are there."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Found = TypeVar("Found")
TRIES = 3
"""More, of work whose machine is lost; it is done on any other then."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a cluster: Ray's name of it, how people call it, and its CPUs."""

    name: str
    called: str
    cpus: int


def nodes() -> list[Node]:
    """The machines of the cluster that this process has joined; none where there is only one."""
    ray: Any = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return []
    found = [
        Node(one["NodeID"], one["NodeManagerHostname"], int(one["Resources"].get("CPU", 0)))
        for one in ray.nodes()
        if one["Alive"]
    ]
    return sorted(found, key=lambda node: node.name) if len(found) > 1 else []


def on_each(places: Sequence[Node], function: Callable[..., Found], *given: Any) -> list[Found]:
    """What a function says on each machine, in their order."""
    import ray

    return list(ray.get([_sent(node, function, False).remote(*given) for node in places]))


def shared_out(
    places: Sequence[Node],
    function: Callable[[Any, Sequence[Any]], Sequence[Found]],
    given: Any,
    items: Sequence[Any],
    lost: Callable[[Any], Found],
    each: bool = False,
) -> list[Found]:
    """What a function of something given and of some items says of all items, in their order.

    Parameters
    ----------
    lost
        What is said of an item whose machines are lost one after another.
    each
        Has each CPU a call of its own? Else each machine has one.
    """
    import ray

    where = [node for node in places for _ in range(max(1, node.cpus) if each else 1)]
    weights = [1 if each else max(1, node.cpus) for node in where]
    ends = [len(items) * sum(weights[: i + 1]) // sum(weights) for i in range(len(where))]
    parts = [items[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    held = ray.put(given)
    asked = [
        _sent(node, function, True).remote(held, part) if part else None
        for node, part in zip(where, parts, strict=True)
    ]
    found: list[Found] = []
    for reply, part in zip(asked, parts, strict=True):
        try:
            found += ray.get(reply) if reply is not None else []
        except ray.exceptions.RayError:
            found += [lost(item) for item in part]
    return found


def _sent(node: Node, function: Callable[..., Any], elsewhere: bool) -> Any:
    """A function as a task of Ray's. It reserves nothing: hosts may have reserved it all."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    strategy = NodeAffinitySchedulingStrategy(node.name, soft=elsewhere)
    task: Any = ray.remote(function)
    return task.options(num_cpus=0, max_retries=TRIES, scheduling_strategy=strategy)
