"""The loop: ask the tournament, have the agents play, tell the tournament. No files."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, get_type_hints

from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.learning.numbers import Numbers
from mgptn.experiments.config.arms import GREEDY, SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.column_step import ColumnPlay, plays_in_columns
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.loop.measuring import ArmMeasuring
from mgptn.experiments.loop.scripted_step import Play, ScriptedPlay
from mgptn.experiments.loop.side_by_side import play_together
from mgptn.experiments.loop.verifying import verify_together
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.seats.lessons import contents_of
from mgptn.experiments.setting.stage import Stage
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.records.generation import Generation

if TYPE_CHECKING:
    import polars as pl


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
        self._measuring = ArmMeasuring(config)
        self._measured: list[Measures] = []

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
            self._measured.append(self._measuring(generation))
            yield generation

    def to_frame(self) -> pl.DataFrame:
        """The measures of the generations that were iterated over so far, a row each.

        Columns are `arm` and the fields of `mgptn.Measures`, as of the table `generations`.
        """
        import polars as pl  # only here: whoever has no table needs none of it

        rows = [{"arm": self.arm, **asdict(one)} for one in self._measured]
        return pl.DataFrame(rows, schema={"arm": str, **get_type_hints(Measures)})


def step_together(
    simulations: Sequence[Simulation],
    fleet: Fleet,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Committed]:
    """One generation of several simulations at once, their tiles side by side on one fleet.

    Each simulation's tiles are planned by themselves, so its replies do not depend on what runs
    beside it; tiles that several need are run once.

    Parameters
    ----------
    meanwhile
        Done once, before the generation's end; where hosts are at work, beside that.
    """
    plays = [_play(simulation) for simulation in simulations]
    hosted = [play for play in plays if isinstance(play, HostedPlay)]
    if hosted:
        play_together(hosted, fleet, meanwhile)
        verify_together(hosted)
    else:
        meanwhile()
    return [play.finish() for play in plays]


def _play(simulation: Simulation) -> Play:
    """A simulation's next generation: as arrays where its agents are scripted."""
    stage = simulation.stage
    if stage.scripted is None:
        # Founders alone hold another conversation than the run's protocol.
        alone = simulation.arm == GREEDY
        columns = not alone and plays_in_columns(stage, simulation.tournament)
        kind = ColumnPlay if columns else HostedPlay
        return kind(simulation.arm, simulation.tournament, stage, simulation.numbers)
    return ScriptedPlay(simulation.arm, simulation.tournament, stage, stage.scripted)
