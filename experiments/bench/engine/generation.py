"""A whole generation of a model on one host in this process: what it asks, where its time goes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Generate, HostRequest, Score, Tile, TileReply
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.setting.stage import Stage

MODEL = "gpt-3"

GENERATIONS = {"contexts empty": 0, "contexts full": 2}
"""The first generation, and one in which every agent has learned from the others' grades."""

SHARES = ("forward", "sampling", "transfer", "planner", "select")


@dataclass(frozen=True, slots=True)
class WholeGeneration:
    """Shares of wall time of a generation, repeat by repeat.

    Attributes
    ----------
    inside
        Of the host's time, in forward passes and sampling.
    outside
        Of the whole generation's time, in neither.
    padded
        Share of positions computed for a shape's sake.
    parts
        Median seconds.
    """

    name: str
    problems: int
    inside: list[float]
    outside: list[float]
    padded: float
    parts: dict[str, float]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        parts = ", ".join(f"{name} {seconds:.3f}" for name, seconds in self.parts.items())
        return (
            f"A generation of {MODEL} (8 agents, {self.problems} problems, 4 graders), "
            f"{self.name}: "
            f"{_share(self.inside)} of the host's time in forward passes and sampling; "
            f"{_share(self.outside)} of the whole generation's outside of them; "
            f"{self.padded:.1%} of the positions padded; seconds {parts}."
        )


class Recorder(LocalFleet):
    """A host in this process, and the requests that the last generation put to it."""

    def __init__(self, settings: HostSettings) -> None:
        super().__init__(settings)
        self.requests: list[HostRequest] = []

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        asked = (request for tile in tiles for request in tile.requests)
        self.requests += [request for request in asked if isinstance(request, Generate | Score)]
        return super().run(tiles)


def configured(problems: int, device: str, agents: int = 8) -> RunConfig:
    """Agents of the bundled model, 4 graders who see their own examples."""
    return check_config(
        {
            "name": "bench",
            "agents": {"model": MODEL},
            "population": {"size": agents},
            "problems_per_generation": problems,
            "protocol": {"grader_context": "own"},
            "hosts": {"device": device},
        }
    )


def requested(problems: int, device: str) -> tuple[list[HostRequest], Stage]:
    """What a generation with full contexts asks of hosts, and where it was played."""
    config = configured(problems, device)
    stage = Stage(config)
    fleet = Recorder(stage.host_settings(device))
    simulation = Simulation(config, stage=stage, fleet=fleet)
    for _ in range(GENERATIONS["contexts full"] + 1):
        fleet.requests.clear()
        step_together([simulation], fleet)
    return fleet.requests, stage


def whole_generations(problems: int, device: str, repeats: int) -> list[WholeGeneration]:
    """Where the time of a generation goes, the cache of prefixes empty at its beginning."""
    config = configured(problems, device)
    stage = Stage(config)
    fleet = LocalFleet(stage.host_settings(device))
    host = fleet.host
    assert isinstance(host, TransformersHost)
    looks: dict[str, list[tuple[Committed, float]]] = {name: [] for name in GENERATIONS}
    for turn in range(repeats + 1):
        simulation = Simulation(config, stage=stage, fleet=fleet)
        for generation in range(max(GENERATIONS.values()) + 1):
            host.forget_prefixes()
            began = time.perf_counter()
            (committed,) = step_together([simulation], fleet)
            wall = time.perf_counter() - began
            for name, wanted in GENERATIONS.items():
                if turn and generation == wanted:
                    looks[name].append((committed, wall))
    return [_summary(name, problems, seen) for name, seen in looks.items()]


def _summary(name: str, problems: int, looks: list[tuple[Committed, float]]) -> WholeGeneration:
    inside, outside = [], []
    for committed, wall in looks:
        seconds = committed.seconds
        busy = seconds["forward"] + seconds["sampling"]
        inside.append(busy / (busy + seconds["transfer"]))
        outside.append(1.0 - busy / wall)
    parts = {n: statistics.median(c.seconds[n] for c, _ in looks) for n in SHARES}
    parts["wall"] = statistics.median(wall for _, wall in looks)
    counts = looks[-1][0].counters
    padded = counts["tokens_padded"] / (counts["tokens_padded"] + counts["tokens_computed"])
    return WholeGeneration(name, problems, inside, outside, padded, parts)


def _share(values: list[float]) -> str:
    return f"{statistics.median(values):.1%} ({min(values):.1%} to {max(values):.1%})"
