"""The same requests on 1, 2 and 4 hosts in processes of their own: the same bits."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.agents.requests import HostRequest
from mgptn.agents.tiles import plan
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("ray_address")]

SLOTS = 4


class Recorder(LocalFleet):
    """A host in this process, and the requests put to it."""

    def run(self, tiles: Sequence[Any]) -> Any:
        self.requests = [*getattr(self, "requests", []), *(r for t in tiles for r in t.requests)]
        return super().run(tiles)


@pytest.fixture(scope="module")
def stage(small: Any) -> Stage:
    return Stage(small({"protocol.grader_context": "own", "protocol.threshold": 0.0}))


@pytest.fixture(scope="module")
def asked(stage: Stage) -> tuple[list[HostRequest], list[str]]:
    """What a run with growing contexts asks, and the replies of the host in this process."""
    fleet = Recorder(stage.host_settings("cpu"))
    list(Simulation(stage.config, stage=stage, fleet=fleet))
    requests = list(dict.fromkeys(fleet.requests))
    assert len({request.prefix for request in requests}) > 4
    planned = plan(requests, fleet.settings.weights, SLOTS)
    replies = planned.collect(LocalFleet(fleet.settings).run(planned.tiles))
    return requests, list(map(repr, replies))


@pytest.mark.parametrize("hosts", [1, 2, 4])
def test_shuffled_requests_have_the_same_bits_on_any_number_of_hosts(
    stage: Stage, asked: tuple[list[HostRequest], list[str]], small: Any, hosts: int
) -> None:
    """Twice on each fleet: hosts with cold caches, and with what they remember."""
    requests, replies = asked
    fleet = Stage(small({"hosts.count": hosts})).ray_fleet()
    rng = np.random.default_rng(hosts)
    try:
        assert fleet.alive == hosts
        for _ in range(2):
            order = rng.permutation(len(requests))
            shuffled = plan([requests[i] for i in order], fleet.settings.weights, SLOTS)
            # Tiles in any order too: which host has which is a matter of chance.
            turn = rng.permutation(len(shuffled.tiles))
            done = fleet.run([shuffled.tiles[i] for i in turn])
            ordered = [done[place] for place in np.argsort(turn)]
            assert list(map(repr, shuffled.collect(ordered))) == [replies[i] for i in order]
    finally:
        fleet.close()
