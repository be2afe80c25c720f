"""Plays of one generation side by side on a fleet: each goes on as soon as it has its replies.

What one arm is asked next is planned while hosts are at what another was asked, so that neither
waits for the other. Replies do not depend on it: each play's tiles are planned by themselves.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.requests import Tile, TileReply
from mgptn.agents.tiles import Plan
from mgptn.experiments.loop.hosted_step import HostedPlay


def play_together(
    plays: Sequence[HostedPlay], fleet: Fleet, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Have conversations end, and agents learn whose weights do; equal tiles are run once.

    Parameters
    ----------
    meanwhile
        Done once, as hosts have their first tiles in hand.
    """
    _together([_Part(play) for play in plays], fleet, meanwhile)


def learn_together(plays: Sequence[HostedPlay], fleet: Fleet) -> None:
    """Have agents learn whose weights do, of plays whose conversations have ended."""
    _together([_Part(play, answered=True) for play in plays], fleet, lambda: None)


def _together(parts: list[_Part], fleet: Fleet, meanwhile: Callable[[], None]) -> None:
    going = parts
    while going:
        began, driver = time.perf_counter(), _of_the_driver(parts)
        relay = _Relay(going, meanwhile)
        fleet.stream(relay)
        # What the driver does of its own in between is booked as that already.
        relay.account(time.perf_counter() - began - (_of_the_driver(parts) - driver))
        going, meanwhile = [part for part in parts if part.play.choices], lambda: None
        _pick([part.play for part in going], fleet)


def _pick(plays: Sequence[HostedPlay], fleet: Fleet) -> None:
    """Have whoever picks do so, of all plays at once; hosts need not be held meanwhile."""
    if plays:
        choices = [choice for play in plays for choice in play.choices]
        plays[0].stage.picks.ready(choices, fleet.rest)
    for play in plays:
        play.pick()


def _of_the_driver(parts: Sequence[_Part]) -> float:
    return sum(part.play.seconds[name] for part in parts for name in ("select", "verify"))


@dataclass(slots=True)
class _Round:
    """What a play was asked at once: tiles by their places among all, and what for."""

    plan: Plan
    places: tuple[int, ...]
    phase: str
    missing: int


@dataclass(slots=True, eq=False)
class _Part:
    """A play under way: its conversations first, then what its agents learn."""

    play: HostedPlay
    answered: bool = False
    learned: bool = False
    rounds: list[_Round] = field(default_factory=list)

    def plan(self) -> Plan | None:
        """What is to be asked next; None where the play is at its end, or waits for a pick."""
        if self.play.choices:
            return None
        if not self.answered and self.play.asks:
            return self.play.plan()
        self.answered = True
        if self.learned or not self.play.learns:
            if not self.play.judged:
                self.play.gathered()  # now, while hosts are at others' tiles
            return None
        self.learned = True
        return self.play.plan_learning()

    def take(self, done: _Round, replies: Sequence[TileReply]) -> None:
        """Replies to what was asked last."""
        if self.learned:
            self.play.learn(done.plan, replies)
        else:
            self.play.answer(done.plan, replies)


class _Relay:
    """The plays as one stream of tiles: each once, and its reply for all who need it."""

    def __init__(self, parts: list[_Part], meanwhile: Callable[[], None]) -> None:
        self.meanwhile = meanwhile
        self._parts = parts
        self._places: dict[Tile, int] = {}
        self._replies: dict[int, TileReply] = {}
        self._waiting: dict[int, list[tuple[_Part, _Round]]] = {}

    def begin(self) -> list[Tile]:
        """What every play asks first."""
        return [tile for part in self._parts for tile in self._onward(part)]

    def take(self, place: int, reply: TileReply) -> list[Tile]:
        """A reply, and what those ask next who waited for it."""
        self._replies[place] = reply
        further = []
        for part, asked in self._waiting.pop(place):
            asked.missing -= 1
            if asked.phase != "learn":
                part.play.hear(asked.places.index(place), reply)
            if not asked.missing:
                part.take(asked, [self._replies[p] for p in asked.places])
                further += self._onward(part)
        return further

    def account(self, elapsed: float) -> None:
        """Book work on the first play that needs it, and the wall time by that."""
        owned: set[int] = set()
        shares: list[tuple[_Part, _Round, list[TileReply]]] = []
        for part in self._parts:
            for asked in part.rounds:
                own = [self._replies[p] for p in dict.fromkeys(asked.places) if p not in owned]
                owned.update(asked.places)
                shares.append((part, asked, own))
            part.rounds = []
        forward = sum(reply.work.seconds for reply in self._replies.values()) or 1.0
        for part, asked, own in shares:
            share = sum(reply.work.seconds for reply in own) / forward
            part.play.account(asked.phase, own, elapsed * share)

    def _onward(self, part: _Part) -> list[Tile]:
        """A play's further tiles that nobody has asked for; those it has replies to are taken."""
        while (planned := part.plan()) is not None:
            known, fresh = len(self._places), list[Tile]()
            # A tile's hash is that of all its requests, and is asked for once.
            places = tuple(self._places.setdefault(t, len(self._places)) for t in planned.tiles)
            for place, tile in zip(places, planned.tiles, strict=True):
                if place == known + len(fresh):
                    fresh.append(tile)
            awaited = {place for place in places if place not in self._replies}
            asked = _Round(planned, places, part.play.phase, len(awaited))
            part.rounds.append(asked)
            for place in awaited:
                self._waiting.setdefault(place, []).append((part, asked))
            if awaited:
                return fresh
            part.take(asked, [self._replies[place] for place in places])
        return []
