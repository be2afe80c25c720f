"""How many hosts to start: as many as are asked for and, where a machine's memory is known, fit.

No result depends on the number, so that where nobody has given one, fewer are started rather than
none. Hosts that were planned together do not each look for memory again as they come up, when the
others may or may not have taken theirs.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import math
import subprocess
import sys
from collections.abc import Sequence

from mgptn.agents.allowance import available_memory
from mgptn.agents.engine.memory import CONTEXT_BYTES, check_memory

logger = logging.getLogger("mgptn.fleet")

MOST = 8
"""Hosts that are started on CPU cores where nobody says how many."""

_CARDS = (
    "import torch; "
    "print(*[torch.cuda.mem_get_info(card)[0] for card in range(torch.cuda.device_count())])"
)


def host_count(wanted: int | str, device: str, agents: int, gpus_per_host: float) -> int:
    """How many hosts are asked for: a number, one per agent, or one a GPU or CPU core."""
    if wanted == "per-agent":
        return agents
    if wanted != "auto":
        return int(wanted)
    import ray

    resources = ray.cluster_resources()
    if device == "cuda":
        return max(1, hosts_on_cards(int(resources.get("GPU", 0)), gpus_per_host))
    return max(1, min(MOST, int(resources.get("CPU", 1))))


def hosts_on_cards(cards: int, gpus_per_host: float) -> int:
    """Hosts that find room on some cards: one that takes part of a card has that of one card."""
    if gpus_per_host < 1.0:
        return cards * _on_a_card(gpus_per_host)
    return math.floor(cards / gpus_per_host + 1e-9)


def fitting(
    wanted: int | str, count: int, needed: int, device: str, gpus_per_host: float
) -> tuple[int, float]:
    """Hosts that fit on this machine together, and the share of a GPU that each reserves.

    Raises
    ------
    agents.engine.memory.MemoryShortageError
        If not even one fits, or not all of a number that was given.
    """
    if device == "cpu":
        return planned(wanted, count, needed, [available_memory()]), gpus_per_host
    if gpus_per_host >= 1.0:  # a host has a card for itself, and looks for memory there
        return count, gpus_per_host
    cards, sharing = free_on_cards() or [0], min(count, _on_a_card(gpus_per_host))
    fits = planned(wanted, sharing, needed + CONTEXT_BYTES, cards, "on a GPU")
    if fits == sharing:
        return count, gpus_per_host
    # Ray fills a card before it takes the next: fewer on each means a larger share of it.
    return fits * len(cards), math.floor(10_000 / fits) / 10_000


def planned(
    wanted: int | str,
    count: int,
    needed: int,
    free: Sequence[int],
    where: str = "on this machine",
) -> int:
    """Of `count` hosts in one place, those that fit there; fewer only where nobody gave a number.

    Parameters
    ----------
    needed
        Bytes of one host.
    free
        Bytes of every such place; the least counts.

    Raises
    ------
    agents.engine.memory.MemoryShortageError
        As of `fitting`.
    """
    least = min(free)
    fits = count if needed <= 0 else min(count, least // needed)
    if fits == count:
        return count
    if wanted != "auto" or fits < 1:
        check_memory(needed, least, where, count if wanted != "auto" else 1)
    logger.warning(
        "hosts.count: of %d hosts of %.1f GB each, %d fit into the %.1f GB that are free %s; "
        "starting those",
        count, needed / 1e9, fits, least / 1e9, where,
    )  # fmt: skip
    return fits


def free_on_cards() -> list[int]:
    """Bytes that are free on each GPU of this machine, as a process finds that has begun there.

    Asked of a process of its own: who looks takes memory on every card for as long as it lives.
    """
    told = subprocess.run(
        [sys.executable, "-c", _CARDS], capture_output=True, text=True, check=True
    )
    return [int(number) for number in told.stdout.split()]


def _on_a_card(gpus_per_host: float) -> int:
    return max(1, math.floor(1.0 / gpus_per_host + 1e-9))
