"""The loop: ask the tournament, run protocols on the fleet, tell the tournament. No files."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agents.fleet import Fleet
from agents.requests import Generate, Tile, TileReply
from agents.tiles import Plan, plan
from experiments.arms import SELECTED, found_tournament
from experiments.casting import Cast, cast_match, from_host, to_host, to_outcome
from experiments.committed import COUNTERS, PHASES, Committed
from experiments.config import RunConfig
from experiments.stage import Stage
from population.records import Generation, Outcome
from protocols.messages import Conversation, Reply, Request, Transcript
from protocols.table import PROTOCOLS


class Simulation:
    """One arm of a run, generation by generation.

    Iterating runs the generations that are left, on one host in this process unless a fleet is
    given::

        for generation in Simulation(config):
            print(generation.index, generation.fitness)

    Parameters
    ----------
    arm
        A name in `experiments.arms.ARMS`; the run itself by default.
    stage, fleet
        Shared with other arms; made here if not given.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        arm: str = SELECTED,
        stage: Stage | None = None,
        fleet: Fleet | None = None,
    ) -> None:
        self.config = config
        self.arm = arm
        self.tournament = found_tournament(config, arm)
        self._stage = stage
        self._fleet = fleet

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
            yield step_together([self], self.fleet)[0].generation


def step_together(simulations: Sequence[Simulation], fleet: Fleet) -> list[Committed]:
    """One generation of several simulations at once, their tiles side by side on one fleet.

    Each simulation's tiles are planned by themselves, so its replies do not depend on what runs
    beside it; tiles that several need are run once.
    """
    plays = [_Play(simulation) for simulation in simulations]
    restarts = fleet.restarts
    while any(play.requests for play in plays):
        _one_round(plays, fleet)
    committed = [play.finish() for play in plays]
    committed[0].counters["host_restarts"] += fleet.restarts - restarts
    return committed


def _one_round(plays: Sequence[_Play], fleet: Fleet) -> None:
    """Put what all plays ask for to the fleet, and hand the replies back."""
    began = time.perf_counter()
    plans = [play.plan() for play in plays]
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
    for owner, (play, planned) in enumerate(zip(plays, plans, strict=True)):
        own = [reply for reply, o in zip(replies, owners, strict=True) if o == owner]
        play.account(own, elapsed * sum(reply.work.seconds for reply in own) / forward)
        play.answer(planned, [replies[tiles[tile]] for tile in planned.tiles])


@dataclass(slots=True)
class _Scene:
    """One match under way."""

    cast: Cast
    conversation: Conversation
    requests: Sequence[Request] = ()
    transcript: Transcript | None = None

    def advance(self, replies: Sequence[Reply] | None) -> None:
        """Send replies (None to begin), and keep what is asked next, or how it ended."""
        try:
            if replies is None:
                self.requests = next(self.conversation)
            else:
                self.requests = self.conversation.send(replies)
        except StopIteration as end:
            self.requests, self.transcript = (), end.value


@dataclass(slots=True)
class _Play:
    """One generation of one simulation under way."""

    simulation: Simulation
    scenes: list[_Scene] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    phase: str = ""

    def __post_init__(self) -> None:
        tournament, stage = self.simulation.tournament, self.simulation.stage
        config = self.simulation.config
        generation = tournament.generation
        agents = {agent.id: agent for agent in tournament.agents}
        protocol = PROTOCOLS[config.protocol.name]
        for match in tournament.ask():
            problem = stage.problems[generation][match.problem]
            cast = cast_match(match, problem, agents, generation)
            scene = _Scene(cast, protocol(problem.query, config.protocol.graders))
            scene.advance(None)
            self.scenes.append(scene)
        self.seconds.update(dict.fromkeys(PHASES, 0.0))
        self.counters.update(dict.fromkeys(COUNTERS, 0))

    @property
    def requests(self) -> list[Request]:
        return [request for scene in self.scenes for request in scene.requests]

    def plan(self) -> Plan:
        """Tiles for everything asked in this round."""
        script = self.simulation.stage.script
        requests = [to_host(r, s.cast, script) for s in self.scenes for r in s.requests]
        answering = sum(isinstance(request, Generate) for request in requests)
        self.counters["answer_requests"] += answering
        self.counters["grade_requests"] += len(requests) - answering
        self.phase = "answer" if answering else "grade"
        weights = self.simulation.stage.checkpoint.weights
        return plan(requests, weights, self.simulation.config.hosts.slots)

    def account(self, replies: Sequence[TileReply], elapsed: float) -> None:
        """Book the round's work and its share of the wall time."""
        self.counters["tiles"] += len(replies)
        self.seconds[self.phase] += elapsed
        for reply in replies:
            self.seconds["forward"] += reply.work.seconds
            for name in ("tokens_computed", "tokens_saved", "tokens_padded"):
                self.counters[name] += getattr(reply.work, name)

    def answer(self, planned: Plan, replies: Sequence[TileReply]) -> None:
        """Send each scene the replies to what it asked."""
        script = self.simulation.stage.script
        spoken = iter([from_host(reply, script) for reply in planned.collect(replies)])
        for scene in self.scenes:
            if scene.requests:
                scene.advance([next(spoken) for _ in scene.requests])

    def finish(self) -> Committed:
        """Attach verdicts, tell the tournament, and say what happened and what it cost."""
        began = time.perf_counter()
        task = self.simulation.stage.task
        outcomes: list[Outcome] = []
        for scene in self.scenes:
            assert scene.transcript is not None
            outcomes.append(to_outcome(scene.cast, scene.transcript, task))
        generation = self.simulation.tournament.tell(outcomes)
        self.seconds["select"] = time.perf_counter() - began
        phases = ("answer", "grade", "select")
        self.seconds["total"] = sum(self.seconds[phase] for phase in phases)
        return Committed(self.simulation.arm, generation, self.seconds, self.counters)
