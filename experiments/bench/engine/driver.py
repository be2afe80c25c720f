"""What a generation costs the driver: conversations one by one against columns, replies known."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mgptn.agents.hosts.fleet import LocalFleet, Rounds
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Tile, TileReply
from mgptn.experiments.bench.engine.generation import GENERATIONS, MODEL, configured
from mgptn.experiments.loop.column_step import ColumnPlay
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.loop.side_by_side import play_together
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage

KINDS: dict[str, type[HostedPlay]] = {"conversations": HostedPlay, "columns": ColumnPlay}


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver's part of a generation.

    Attributes
    ----------
    host
        CPU seconds of a host that the same tiles took.
    seconds
        Kind of play → CPU seconds beside hosts' work, repeat by repeat.
    """

    name: str
    agents: int
    problems: int
    host: float
    seconds: dict[str, list[float]]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        ratios = [a / b for a, b in zip(*self.seconds.values(), strict=True)]
        each = ", ".join(
            f"{kind} {1e3 * statistics.median(taken):.1f} ms "
            f"({1e3 * min(taken):.1f} to {1e3 * max(taken):.1f})"
            for kind, taken in self.seconds.items()
        )
        taken = statistics.median(self.seconds["columns"])
        return (
            f"The driver's CPU time of a generation of {MODEL} ({self.agents} agents, "
            f"{self.problems} problems, 4 graders), {self.name}: {each}; "
            f"{statistics.median(ratios):.2f} times as much ({min(ratios):.2f} to "
            f"{max(ratios):.2f}). Beside {self.host:.2f} s of a host's, columns are "
            f"{taken / (taken + self.host):.1%} of the whole."
        )


class Remembering(Rounds):
    """A host in this process that does each tile once, and has its reply from then on.

    `inside` are CPU seconds that are not the driver's, `worked` those that the tiles took in all.
    """

    alive = 1
    restarts = 0

    def __init__(self, settings: HostSettings) -> None:
        self.settings = settings
        self.inside = self.worked = 0.0
        self._local = LocalFleet(settings)
        self._known: dict[Tile, tuple[TileReply, float]] = {}

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        began = time.process_time()
        done = [self._done(tile) for tile in tiles]
        self.worked += sum(seconds for _, seconds in done)
        self.inside += time.process_time() - began
        return [reply for reply, _ in done]

    def _done(self, tile: Tile) -> tuple[TileReply, float]:
        """A tile's reply, and the CPU seconds that it took."""
        known = self._known.get(tile)
        if known is None:
            began = time.process_time()
            (reply,) = self._local.run([tile])
            known = self._known[tile] = reply, time.process_time() - began
        return known

    def close(self) -> None:
        """End the host."""
        self._local.close()


def cost_of_the_driver(agents: int, problems: int, device: str, repeats: int) -> list[Driver]:
    """The driver's time of a generation with contexts empty, and with contexts full."""
    config = configured(problems, device, agents)
    stage = Stage(config)
    fleet = Remembering(stage.host_settings(device))
    taken = {name: {kind: list[float]() for kind in KINDS} for name in GENERATIONS}
    work = dict.fromkeys(GENERATIONS, 0.0)
    for turn in range(repeats + 1):
        for kind, play in KINDS.items():
            simulation = Simulation(config, stage=stage, fleet=fleet)
            for generation in range(max(GENERATIONS.values()) + 1):
                seconds, host = _generation(play, simulation, fleet)
                for name, wanted in GENERATIONS.items():
                    if generation == wanted and turn:  # at first replies are made
                        taken[name][kind].append(seconds)
                        work[name] = host
    return [Driver(name, agents, problems, work[name], taken[name]) for name in GENERATIONS]


def _generation(
    kind: type[HostedPlay], simulation: Simulation, fleet: Remembering
) -> tuple[float, float]:
    """CPU seconds of the driver, and of the host when the same tiles were done."""
    fleet.inside, fleet.worked, began = 0.0, 0.0, time.process_time()
    arm, tournament, stage = simulation.arm, simulation.tournament, simulation.stage
    play = kind(arm, tournament, stage, simulation.numbers)
    play_together([play], fleet)
    play.finish()
    return time.process_time() - began - fleet.inside, fleet.worked
