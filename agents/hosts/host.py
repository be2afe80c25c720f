"""What a host is: a process with one model instance and three verbs."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mgptn.agents.engine.memory import ITEM, KEPT
from mgptn.agents.requests import Tile, TileReply
from mgptn.population.records.settled import check_least, check_name


class Host(Protocol):
    """Answers tiles; holds nothing that a tile's replies depend on but the weights."""

    def generate(self, tile: Tile) -> TileReply:
        """Sample an answer to each request of the tile."""
        ...

    def score(self, tile: Tile) -> TileReply:
        """Log-probabilities of each request's options."""
        ...

    def learn(self, tile: Tile) -> TileReply:
        """What becomes of the weights of each request of the tile."""
        ...


@dataclass(frozen=True, slots=True)
class HostSettings:
    """How to make a host, anywhere.

    Attributes
    ----------
    model
        Bundled name, checkpoint folder or hub id, found anew on the host's own machine.
    weights
        Hash that the files found there must have.
    device
        ``"cpu"`` or ``"cuda"``.
    dtype
        ``"float32"`` or ``"bfloat16"``.
    threads
        Of the host's arithmetic on a CPU. Part of the manifest: sums split over another number of
        threads round differently.
    others
        Name and hash of each further model that the host serves.
    memory
        Bytes that must be free where it starts; 0 where nobody has planned them.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    model: str
    weights: str
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    others: tuple[tuple[str, str], ...] = ()
    memory: int = 0

    def __post_init__(self) -> None:
        check_name("device", self.device, KEPT)
        check_name("dtype", self.dtype, ITEM)
        check_least(self, 1, "threads")
        check_least(self, 0, "memory")
