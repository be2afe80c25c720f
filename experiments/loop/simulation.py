"""The loop: ask the tournament, have the agents play, tell the tournament. No files."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.learning.numbers import Numbers
from mgptn.agents.requests import Tile, TileReply
from mgptn.agents.tiles import Plan
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.loop.scripted_step import Play, ScriptedPlay
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.seats.lessons import contents_of
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.generation import Generation


class Simulation:
    """One arm of a run, generation by generation.

    Iterating runs the generations that are left, on one host in this process unless a fleet is
    given::

        for generation in Simulation(config):
            print(generation.index, generation.fitness)

    Parameters
    ----------
    arm
        A name in `mgptn.experiments.config.arms.ARMS`; the run itself by default.
    stage, fleet
        Shared with other arms; made here if not given.
    numbers
        Where what weights have learned is kept; in memory if not given.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        arm: str = SELECTED,
        stage: Stage | None = None,
        fleet: Fleet | None = None,
        numbers: Numbers | None = None,
    ) -> None:
        self.config = config
        self.arm = arm
        self.tournament = found_tournament(config, arm)
        self._stage = stage
        self._fleet = fleet
        self.numbers = Numbers() if numbers is None else numbers

    @property
    def stage(self) -> Stage:
        """Task, problems, model and layout."""
        if self._stage is None:
            self._stage = Stage(self.config)
        return self._stage

    @property
    def fleet(self) -> Fleet:
        """The hosts."""
        if self._fleet is None:
            self._fleet = self.stage.local_fleet()
        return self._fleet

    @property
    def finished(self) -> bool:
        """Has every generation been run?"""
        return self.tournament.generation >= self.config.population.generations

    def __iter__(self) -> Iterator[Generation]:
        while not self.finished:
            generation = step_together([self], self.fleet)[0].generation
            self.numbers.prune(contents_of(generation.survivors))
            yield generation


def step_together(simulations: Sequence[Simulation], fleet: Fleet) -> list[Committed]:
    """One generation of several simulations at once, their tiles side by side on one fleet.

    Each simulation's tiles are planned by themselves, so its replies do not depend on what runs
    beside it; tiles that several need are run once.
    """
    plays = [_play(simulation) for simulation in simulations]
    hosted = [play for play in plays if isinstance(play, HostedPlay)]
    while any(play.asks for play in hosted):
        _one_round(hosted, fleet)
    learn_together(hosted, fleet)
    return [play.finish() for play in plays]


def _play(simulation: Simulation) -> Play:
    """A simulation's next generation: as arrays where its agents are scripted."""
    stage = simulation.stage
    if stage.scripted is None:
        return HostedPlay(simulation.arm, simulation.tournament, stage, simulation.numbers)
    return ScriptedPlay(simulation.arm, simulation.tournament, stage, stage.scripted)


def _one_round(plays: Sequence[HostedPlay], fleet: Fleet) -> None:
    """Put what all plays ask for to the fleet, and hand the replies back."""
    began = time.perf_counter()
    plans = [play.plan() for play in plays]
    for play, planned, replies in zip(plays, plans, _run(plays, plans, fleet, began), strict=True):
        play.answer(planned, replies)


def learn_together(plays: Sequence[HostedPlay], fleet: Fleet) -> None:
    """Have agents learn whose weights do; what several would learn alike is learned once."""
    began = time.perf_counter()
    plays = [play for play in plays if play.learns]
    if not plays:
        return
    plans = [play.plan_learning() for play in plays]
    for play, planned, replies in zip(plays, plans, _run(plays, plans, fleet, began), strict=True):
        play.learn(planned, replies)


def _run(
    plays: Sequence[HostedPlay], plans: Sequence[Plan], fleet: Fleet, began: float
) -> list[list[TileReply]]:
    """Replies to each play's tiles, of which equal ones are run once, and booked on the first."""
    tiles: dict[Tile, int] = {}
    owners: list[int] = []
    for owner, planned in enumerate(plans):
        for tile in planned.tiles:
            if tile not in tiles:
                tiles[tile] = len(tiles)
                owners.append(owner)
    replies = fleet.run(list(tiles))
    elapsed = time.perf_counter() - began
    forward = sum(reply.work.seconds for reply in replies) or 1.0
    for owner, play in enumerate(plays):
        own = [reply for reply, o in zip(replies, owners, strict=True) if o == owner]
        play.account(own, elapsed * sum(reply.work.seconds for reply in own) / forward)
    return [[replies[tiles[tile]] for tile in planned.tiles] for planned in plans]
