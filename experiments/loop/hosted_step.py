"""A generation on hosts: every match a conversation, what all of them ask put to hosts together."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mgptn.agents.endpoints.planning import plan_any
from mgptn.agents.learning.numbers import Numbers
from mgptn.agents.requests import WORK_COUNTS, WORK_SECONDS, AnyRequest, TileReply
from mgptn.agents.texts import Usage
from mgptn.agents.tiles import Plan, plan_learning
from mgptn.agents.verdicts.judging import Pair
from mgptn.experiments.config.arms import GREEDY
from mgptn.experiments.loop.scripted_step import Play
from mgptn.experiments.record.committed import COST_COUNTERS
from mgptn.experiments.record.picked import Picked
from mgptn.experiments.seats.adversaries import as_said
from mgptn.experiments.seats.asking import (
    Cast,
    Script,
    answer_alone,
    cast_match,
    shared_examples,
    to_host,
    weighs_alone,
)
from mgptn.experiments.seats.humans import Choice, columns_of
from mgptn.experiments.seats.lessons import Known, learn_request
from mgptn.experiments.seats.reading import from_host, to_outcome
from mgptn.experiments.seats.verdicts import to_be_judged, with_verdicts
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.tournament import Tournament
from mgptn.protocols.interfaces.interface import Shown
from mgptn.protocols.majority import MAJORITY
from mgptn.protocols.messages import (
    AnswerRequest,
    Conversation,
    CritiqueRequest,
    GradeRequest,
    PickReply,
    PickRequest,
    Reply,
    Request,
    RevisionRequest,
    RunReply,
    RunRequest,
    Transcript,
)
from mgptn.protocols.tasks.task import Task
from mgptn.protocols.tasks.trials import Program

WRITING = (AnswerRequest, RevisionRequest, CritiqueRequest)
"""Requests that count as for an answer; the others but picks are for a grade."""


class HostedPlay(Play):
    """A generation of agents that are copies of a model, as conversations under way.

    Attributes
    ----------
    phase
        What was planned last: ``"answer"``, ``"grade"`` or ``"learn"``.
    """

    def __init__(self, arm: str, tournament: Tournament, stage: Stage, numbers: Numbers) -> None:
        super().__init__(arm, tournament, stage)
        self._numbers = numbers
        self._scene = self.scene()
        self._gathered: Outcomes | None = None
        self.phase = ""
        self._heard = False
        self._spoken: Iterator[Reply] = iter(())
        self._decided: list[tuple[Choice, int | None]] = []
        self._begin()

    def _begin(self) -> None:
        """Have every match cast, and its conversation begun."""
        self._scenes = list(self._staged())
        self._run()

    @property
    def asks(self) -> bool:
        """Does any conversation wait for replies?"""
        return any(scene.requests for scene in self._scenes)

    def plan(self) -> Plan:
        """Tiles for everything asked in this round."""
        known: dict[Hashable, AnyRequest] = {}
        requests, beside = [], []
        answering = 0
        for scene, request, script in self._asked():
            answering += isinstance(request, WRITING)
            same = _same_grade(request, scene.cast, script)
            asked = known.get(same) if same else None
            if asked is None:
                asked = to_host(request, scene.cast, script)
                if same:
                    known[same] = asked
            worn = scene.cast.seats[request.seat].genome.weights
            requests.append(((script.weights, worn), asked))
            if isinstance(request, GradeRequest) and weighs_alone(request, script):
                beside.append(((script.weights, worn), answer_alone(request, script)))
        self.counters["answer_requests"] += answering
        self.counters["grade_requests"] += len(requests) - answering
        self.phase = "answer" if answering else "grade"
        began = time.perf_counter()
        # What grades by likelihood are compared with stands behind everything asked.
        planned = plan_any([*requests, *beside], self.stage.config.hosts.slots, self._numbers)
        self.seconds["planner"] += time.perf_counter() - began
        return planned

    def account(self, phase: str, replies: Sequence[TileReply], elapsed: float) -> None:
        """Book a round's work and its share of the wall time."""
        self.counters["tiles"] += sum(reply.work.usage is None for reply in replies)
        self.seconds[phase] += elapsed
        for reply in replies:
            for name in WORK_SECONDS:
                self.seconds[name] += getattr(reply.work, name)
            for name in WORK_COUNTS:
                if name not in COST_COUNTERS:
                    self.counters[name] += getattr(reply.work, name)
        for name, spent in self._spent(replies).items():
            if spent:
                self.counters[name] = self.counters.get(name, 0) + spent
        used = [reply.work.usage for reply in replies if reply.work.usage is not None]
        for name, count in sum(used, Usage()).counts.items() if used else ():
            self.counters[name] = self.counters.get(name, 0) + count

    def _spent(self, replies: Sequence[TileReply]) -> dict[str, int]:
        """Operations, and energy by the hosts' watts, or by the cards' counters: each its share."""
        hosts = self.stage.config.hosts
        if hosts.watts is not None:
            joules = hosts.watts * sum(r.work.seconds for r in replies if r.work.usage is None)
            energy = round(1000.0 * joules)
        else:
            share = min(1.0, hosts.gpus_per_host)
            energy = round(share * sum(reply.work.energy_millijoules for reply in replies))
        flops = sum(reply.work.flops for reply in replies)
        return dict(zip(COST_COUNTERS, (flops, energy), strict=True))

    def hear(self, tile: int, reply: TileReply) -> None:
        """A reply to one of the tiles that were planned last, before there are all."""

    def answer(self, planned: Plan, replies: Sequence[TileReply]) -> None:
        """Send each conversation the replies to what it asked."""
        asked = list(self._asked())
        known: dict[tuple[int, type], Reply] = {}
        said = []
        config, task = self.stage.config, self._scene.task
        kind = config.population.adversaries.flattery
        collected = planned.collect(replies)
        beside = iter(collected[len(asked) :])
        self._heard = True
        for reply, (scene, request, script) in zip(collected, asked, strict=False):
            alone = next(beside) if weighs_alone(request, script) else None
            same = id(reply), type(request)  # graders that were asked the same share a reply
            if same not in known:
                known[same] = from_host(reply, request, script, alone)
            said.append(as_said(known[same], request, scene.cast, task, kind, config.seed))
        self._spoken = iter(said)
        if not self.choices:
            self._advance_all(iter(()))

    @property
    def choices(self) -> list[Choice]:
        """What is put to whoever picks; nothing while agents have not replied to the same round."""
        if not self._heard:
            return []
        return [
            Choice(
                generation=scene.cast.generation,
                author=scene.cast.match.author,
                problem=scene.cast.match.problem,
                query=request.query,
                candidates=request.candidates,
            )
            for scene in self._scenes
            for request in scene.requests
            if isinstance(request, PickRequest)
        ]

    def pick(self) -> None:
        """Go on with what is picked of `choices`."""
        choices = self.choices
        with self.verifying():
            picked = self.stage.picks(choices)
        self._decided += zip(choices, picked, strict=True)
        self._advance_all(map(PickReply, picked))

    def picked(self) -> Picked:
        """What several people picked on the way; nothing where nobody was asked."""
        problems, authors = self.matches.problems, self.matches.authors.tolist()
        slots = {author: slot for slot, author in enumerate(authors)}
        return columns_of(
            [
                (slots[choice.author] * problems + choice.problem, choice, decided, opinions)
                for choice, decided in self._decided
                if (opinions := self.stage.picks.opinions(choice))
            ]
        )

    def _advance_all(self, picked: Iterator[Reply]) -> None:
        """Send every conversation its replies, and what was picked."""
        spoken, self._heard = self._spoken, False
        for scene in self._scenes:
            if scene.requests:
                scene.advance([next(picked if _for_human(r) else spoken) for r in scene.requests])
        self._run()

    def _run(self) -> None:
        """Have programs run that conversations wait for, all at once, until none waits for any."""
        while waiting := [scene for scene in self._scenes if scene.programs]:
            with self.verifying():
                ran = iter(
                    self.stage.verifier.run([one for scene in waiting for one in scene.programs])
                )
            for scene in waiting:
                scene.advance([RunReply(next(ran)) for _ in scene.programs])

    @property
    def task(self) -> Task:
        """What the conversations were about."""
        return self._scene.task

    def gathered(self) -> Outcomes:
        """How the conversations ended, without verdicts; gathered once."""
        if self._gathered is None:
            began = time.perf_counter()
            self._gathered = self._gather()
            self.seconds["select"] += time.perf_counter() - began
        return self._gathered

    def _gather(self) -> Outcomes:
        ended = []
        for scene in self._scenes:
            assert scene.transcript is not None
            ended.append(to_outcome(scene.cast, scene.transcript))
        return Outcomes.gather(self.matches, ended)

    @property
    def judged(self) -> bool:
        """Has it its verdicts?"""
        return self._ended is not None

    def outcomes(self) -> Outcomes:
        """How the conversations ended, with verdicts that are asked for by this arm alone."""
        pairs = to_be_judged(self.gathered())
        with self.verifying():
            verdicts = self.stage.verifier(self.task, pairs)
        return self._with(dict(zip(pairs, verdicts, strict=True)))

    def settle(self, verdicts: Mapping[Pair, bool | None]) -> None:
        """Take the verdicts on all that is to be judged."""
        self.recall(self._with(verdicts))

    def _with(self, verdicts: Mapping[Pair, bool | None]) -> Outcomes:
        began = time.perf_counter()
        judged = with_verdicts(self.gathered(), verdicts)
        self.seconds["select"] += time.perf_counter() - began
        return judged

    @property
    def learns(self) -> bool:
        """Do weights learn from what was accepted?"""
        return self.tournament.settings.learning is not None

    def plan_learning(self) -> Plan:
        """Tiles for what every agent with a lesson is to learn."""
        began = time.perf_counter()
        judged = self.tournament.judge(self.ended())
        learning, generation = self.stage.config.agents.learning, self.tournament.generation
        requests = []
        self._learners = []
        for slot, agent in enumerate(self.tournament.agents):
            if not judged.taught[slot]:
                continue
            model = agent.genome.model
            known = Known.of(self.stage.checkpoints[model])
            script = self._scene.scripts[model]
            asked = learn_request(agent, judged.memories[slot], learning, script, known, generation)
            requests.append((script.weights, asked))
            self._learners.append(slot)
        self.counters["learn_requests"] = len(requests)
        planned = plan_learning(requests, self._numbers)
        self.seconds["planner"] += time.perf_counter() - began
        self.phase = "learn"
        return planned

    def learn(self, planned: Plan, replies: Sequence[TileReply]) -> None:
        """Keep what was learned; where a loss was no number, an agent's weights stay."""
        learned: list[str | None] = [None] * len(self.tournament.agents)
        for slot, reply in zip(self._learners, planned.collect(replies), strict=True):
            if reply.numbers is None:
                self.counters["learn_refused"] += 1
            else:
                learned[slot] = self._numbers.keep(reply.numbers)
        self.learned = tuple(learned) if any(learned) else ()

    def _asked(self) -> Iterator[tuple[_Scene, Request, Script]]:
        """Every request of this round to an agent, with how its model is asked."""
        scripts = self._scene.scripts
        for scene in self._scenes:
            for request in scene.requests:
                if not _for_human(request):
                    yield scene, request, scripts[scene.cast.seats[request.seat].genome.model]

    def _staged(self) -> Iterator[_Scene]:
        """Every match cast and begun."""
        config, generation = self.stage.config, self.tournament.generation
        agents = {agent.id: agent for agent in self.tournament.agents}
        protocol, options = self.stage.protocol, config.protocol.as_options()
        if self.arm == GREEDY:
            protocol, options = MAJORITY, replace(options, graders=0)
        shared = self._shared()
        for match in self.matches:
            problem = self._scene.problems[match.problem]
            cast = cast_match(match, problem, agents, generation, shared)
            scene = _Scene(cast, protocol.converse(problem.query, options))
            scene.advance(None)
            yield scene

    def _shared(self) -> tuple[Shown, ...]:
        """Examples that graders see where they see the population's."""
        config = self.stage.config
        if config.protocol.grader_context != "shared":
            return ()
        return shared_examples(self.tournament.agents, config.agents.context_capacity)


def _same_grade(request: Request, cast: Cast, script: Script) -> Hashable:
    """What all requests have in common that ask a model for the same grade; None for others."""
    if not isinstance(request, GradeRequest) or script.sampled:
        return None
    genome = cast.seats[request.seat].genome
    own = request.context == "own" or script.grader_context == "own"
    context = id(genome.context) if own else -1
    worn = "" if genome.weights is None else genome.weights.digest()
    return (script.weights, worn, request.query, request.answer, genome.persona, context)


def _for_human(request: Request) -> bool:
    return isinstance(request, PickRequest)


@dataclass(slots=True)
class _Scene:
    """One match under way: what it waits for, be it replies or programs to be run."""

    cast: Cast
    conversation: Conversation
    requests: Sequence[Request] = ()
    programs: Sequence[Program] = ()
    transcript: Transcript | None = None

    def advance(self, replies: Sequence[Reply] | None) -> None:
        """Send replies (None to begin), and keep what is asked next, or how it ended."""
        try:
            asked = next(self.conversation) if replies is None else self.conversation.send(replies)
        except StopIteration as end:
            asked, self.transcript = (), end.value
        self.programs = [one.program for one in asked if isinstance(one, RunRequest)]
        self.requests = [one for one in asked if not isinstance(one, RunRequest)]
