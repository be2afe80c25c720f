"""What a fleet is: the hosts of a run behind one verb; and the smallest one, in this process."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from mgptn.agents.hosts.host import Host, HostSettings
from mgptn.agents.hosts.make_host import make_host
from mgptn.agents.requests import Generate, Learn, Tile, TileReply


class FleetError(RuntimeError):
    """The hosts cannot do the work: says which part of it, and what happened."""


class Stream(Protocol):
    """Tiles of which some are known only as others are replied to."""

    def begin(self) -> Sequence[Tile]:
        """Those that are known."""
        ...

    def meanwhile(self) -> None:
        """What else is to be done, once, when hosts have tiles in hand."""
        ...

    def take(self, place: int, reply: TileReply) -> Sequence[Tile]:
        """A reply to one of all tiles so far, by its place among them; further tiles."""
        ...


class Fleet(Protocol):
    """Runs tiles; the replies do not depend on how many hosts there are."""

    settings: HostSettings

    @property
    def restarts(self) -> int:
        """Hosts that were lost and replaced."""
        ...

    @property
    def alive(self) -> int:
        """Hosts that answer."""
        ...

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        ...

    def stream(self, stream: Stream) -> None:
        """Have all tiles of a stream replied to; errors are as of `run`."""
        ...

    def rest(self) -> None:
        """Let go of what hosts hold that others could use, until there is work again."""
        ...

    def close(self) -> None:
        """End the hosts."""
        ...


class Rounds(ABC):
    """A fleet that does a stream in rounds: what is known, then what has come of that."""

    @abstractmethod
    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""

    def rest(self) -> None:  # noqa: B027
        """Nothing is held that others could use."""

    def stream(self, stream: Stream) -> None:
        """Have all tiles of a stream replied to."""
        tiles, first = list(stream.begin()), 0
        stream.meanwhile()
        while tiles:
            further: list[Tile] = []
            for place, reply in enumerate(self.run(tiles), start=first):
                further += stream.take(place, reply)
            tiles, first = further, first + len(tiles)


def verb_of(tile: Tile) -> str:
    """Which of a host's verbs a tile's requests call for."""
    if isinstance(tile.requests[0], Learn):
        return "learn"
    return "generate" if isinstance(tile.requests[0], Generate) else "score"


def run_tile(host: Host, tile: Tile) -> TileReply:
    """Have a host do a tile, by the verb that its requests call for."""
    verb: Callable[[Tile], TileReply] = getattr(host, verb_of(tile))
    return verb(tile)


class LocalFleet(Rounds):
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


class NoFleet(Rounds):
    """The hosts of a run without a model: none."""

    alive = 0
    restarts = 0

    def __init__(self, settings: HostSettings) -> None:
        self.settings = settings

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Nothing, to nothing.

        Raises
        ------
        FleetError
            If there is a tile.
        """
        if tiles:
            raise FleetError(f"tiles: expected none without a model, got {len(tiles)}")
        return []

    def close(self) -> None:
        """Nothing to end."""
