"""A generation on hosts: every match a conversation, what all of them ask put to hosts together."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.requests import WORK_COUNTS, WORK_SECONDS, Generate, TileReply
from agents.tiles import Plan, plan_mixed
from experiments.casting import Cast, Script, cast_match, from_host, to_host, to_outcome
from experiments.play import Play
from experiments.stage import Stage
from population.outcomes import Outcomes
from population.tournament import Tournament
from protocols.messages import Conversation, Reply, Request, Transcript
from protocols.table import PROTOCOLS


class HostedPlay(Play):
    """A generation of agents that are copies of a model, as conversations under way."""

    def __init__(self, arm: str, tournament: Tournament, stage: Stage) -> None:
        super().__init__(arm, tournament, stage)
        self._phase = ""
        self._scenes = list(self._staged())

    @property
    def asks(self) -> bool:
        """Does any conversation wait for replies?"""
        return any(scene.requests for scene in self._scenes)

    def plan(self) -> Plan:
        """Tiles for everything asked in this round."""
        requests = [
            (script.weights, to_host(request, scene.cast, script))
            for scene, request, script in self._asked()
        ]
        answering = sum(isinstance(request, Generate) for _, request in requests)
        self.counters["answer_requests"] += answering
        self.counters["grade_requests"] += len(requests) - answering
        self._phase = "answer" if answering else "grade"
        began = time.perf_counter()
        planned = plan_mixed(requests, self.stage.config.hosts.slots)
        self.seconds["planner"] += time.perf_counter() - began
        return planned

    def account(self, replies: Sequence[TileReply], elapsed: float) -> None:
        """Book the round's work and its share of the wall time."""
        self.counters["tiles"] += len(replies)
        self.seconds[self._phase] += elapsed
        for reply in replies:
            for name in WORK_SECONDS:
                self.seconds[name] += getattr(reply.work, name)
            for name in WORK_COUNTS:
                self.counters[name] += getattr(reply.work, name)

    def answer(self, planned: Plan, replies: Sequence[TileReply]) -> None:
        """Send each conversation the replies to what it asked."""
        spoken = iter(
            [
                from_host(reply, script)
                for reply, (_, _, script) in zip(
                    planned.collect(replies), self._asked(), strict=True
                )
            ]
        )
        for scene in self._scenes:
            if scene.requests:
                scene.advance([next(spoken) for _ in scene.requests])

    def outcomes(self) -> Outcomes:
        """How the conversations ended, with the verifier's verdicts."""
        ended = []
        began = time.perf_counter()
        for scene in self._scenes:
            assert scene.transcript is not None
            ended.append(to_outcome(scene.cast, scene.transcript, self.stage.task))
        outcomes = Outcomes.gather(self.matches, ended)
        self.seconds["select"] += time.perf_counter() - began
        return outcomes

    def _asked(self) -> Iterator[tuple[_Scene, Request, Script]]:
        """Every request of this round, with how its seat's model is asked."""
        scripts = self.stage.scripts
        for scene in self._scenes:
            for request in scene.requests:
                yield scene, request, scripts[scene.cast.seats[request.seat].genome.model]

    def _staged(self) -> Iterator[_Scene]:
        """Every match cast and begun."""
        config, generation = self.stage.config, self.tournament.generation
        agents = {agent.id: agent for agent in self.tournament.agents}
        protocol = PROTOCOLS[config.protocol.name]
        for match in self.matches:
            problem = self.stage.problems[generation][match.problem]
            cast = cast_match(match, problem, agents, generation)
            scene = _Scene(cast, protocol(problem.query, config.protocol.graders))
            scene.advance(None)
            yield scene


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
