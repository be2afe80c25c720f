"""Arms side by side: whatever comes first, each has what it has alone; each tile is run once."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.hosts.fleet import Fleet, Stream
from mgptn.agents.requests import Tile, TileReply
from mgptn.experiments.config.arms import ARMS
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.setting.stage import Stage


class Shuffled:
    """A fleet whose tiles are replied to in an order that is drawn."""

    alive, restarts = 1, 0

    def __init__(self, fleet: Fleet, draw: Any) -> None:
        self.settings = fleet.settings
        self.fleet, self.draw = fleet, draw
        self.ran: list[Tile] = []
        self.done: list[str] = []

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        raise AssertionError("expected a stream")

    def stream(self, stream: Stream) -> None:
        tiles = list(stream.begin())
        waiting = list(range(len(tiles)))
        self.done.append("begun")
        stream.meanwhile()
        while waiting:
            place = waiting.pop(self.draw(len(waiting)))
            self.ran.append(tiles[place])
            (reply,) = self.fleet.run([tiles[place]])
            further = stream.take(place, reply)
            waiting += range(len(tiles), len(tiles) + len(further))
            tiles += further

    def rest(self) -> None:
        raise AssertionError("expected nobody to be waited for")

    def close(self) -> None:
        """Nothing to end."""


@pytest.fixture(scope="module")
def together(small: Any, local_fleet: Fleet) -> Any:
    """Runs some generations of three arms side by side, replies in a drawn order."""
    config = small({"population.generations": 2, "agents.context_capacity": 4})
    stage = Stage(config)

    def play(draw: Any) -> tuple[list[list[Committed]], Shuffled]:
        fleet = Shuffled(local_fleet, draw)
        arms = [Simulation(config, arm=arm, stage=stage) for arm in list(ARMS)[:3]]
        said = [
            step_together(arms, fleet, lambda: fleet.done.append("meanwhile")) for _ in range(2)
        ]
        return said, fleet

    return play


@settings(max_examples=3, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_order_of_replies_is_seen_in_what_comes_of_them(together: Any, random: Any) -> None:
    plain, first = together(lambda count: 0)
    drawn, second = together(random.randrange)
    for known, found in zip(plain, drawn, strict=True):
        for one, other in zip(known, found, strict=True):
            assert one.generation.digest == other.generation.digest
            for name in ("answer_requests", "grade_requests", "tiles"):
                assert one.counters[name] == other.counters[name]
    assert Counter(first.ran) == Counter(second.ran)


def test_each_tile_is_run_once_and_booked_on_the_first_who_needs_it(together: Any) -> None:
    said, fleet = together(lambda count: count - 1)
    assert fleet.done == ["begun", "meanwhile"] * 2
    assert max(Counter(fleet.ran).values()) == 1
    assert sum(one.counters["tiles"] for done in said for one in done) == len(fleet.ran)
    # The first generation of every arm is the same, and so are its answers.
    assert said[0][0].counters["answer_requests"] == said[0][1].counters["answer_requests"]
    assert said[0][1].counters["tiles"] == 0 < said[0][0].counters["tiles"]
    for one in said[1]:
        assert one.seconds["answer"] > 0.0
