"""Casting: agents take the seats of protocols; what a seat is asked becomes a host request."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from agents.encoder import Encoder
from agents.requests import Generate, Generated, HostReply, HostRequest, Score, Scored
from population.outcomes import Grade, Match, Outcome
from population.records import Agent, AgentId
from population.streams import philox_key
from protocols.interfaces.interface import Interface, Pair
from protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    GradeReply,
    Reply,
    Request,
    Seat,
    Transcript,
    grader_seat,
)
from protocols.scale import expected_level
from protocols.tasks.task import Problem, Task


@dataclass(frozen=True, slots=True)
class Script:
    """How the seats of one model's copies are asked: the same for every arm.

    `max_tokens` bounds an answer; `own_context` says whether graders see their own examples;
    `weights` is the hash of the model's files.
    """

    task: Task
    interface: Interface
    encoder: Encoder
    max_tokens: int
    own_context: bool
    seed: int
    weights: str


@dataclass(frozen=True, slots=True)
class Cast:
    """One match on stage: who sits where, for which problem."""

    match: Match
    problem: Problem
    seats: dict[Seat, Agent]
    generation: int


def cast_match(
    match: Match, problem: Problem, agents: Mapping[AgentId, Agent], generation: int
) -> Cast:
    """Seat a match's author and graders."""
    seats = {AUTHOR: agents[match.author]}
    seats |= {grader_seat(i): agents[grader] for i, grader in enumerate(match.graders)}
    return Cast(match, problem, seats, generation)


def to_host(request: Request, cast: Cast, script: Script) -> HostRequest:
    """A request to a seat, as one to a host: the seated agent's genome and the layout applied."""
    agent = cast.seats[request.seat]
    interface, encoder = script.interface, script.encoder
    if isinstance(request, AnswerRequest):
        prompt = interface.answer_prompt(_examples(agent), request.query)
        return Generate(
            prefix=encoder.prefix(prompt.prefix),
            suffix=encoder.suffix(prompt.suffix),
            stops=encoder.stops(interface.stops),
            max_tokens=script.max_tokens,
            sampling_temperature=agent.genome.sampling_temperature,
            key=philox_key(script.seed, "answer", cast.generation, agent.id, cast.match.problem),
            endings=encoder.endings(interface.endings),
        )
    shown = _examples(agent) if script.own_context else ()
    prompt = interface.grade_prompt(shown, request.query, request.answer)
    return Score(
        prefix=encoder.prefix(prompt.prefix),
        suffix=encoder.suffix(prompt.suffix),
        options=tuple(encoder.suffix(option) for option in interface.level_options),
    )


def from_host(reply: HostReply, script: Script) -> Reply:
    """A host's reply as what the seat says; a grade that cannot be read is None."""
    if isinstance(reply, Generated):
        written = script.encoder.decode(reply.tokens)
        finished = reply.finished or any(text in written for text in script.interface.endings)
        answer = script.interface.read_answer(written)
        return AnswerReply(answer, finished, len(reply.tokens), reply.log_probability)
    return GradeReply(read_levels(reply))


def read_levels(reply: Scored) -> tuple[float, ...] | None:
    """The distribution over options, normalised; None unless every logit was a number."""
    logs = reply.log_probabilities
    if any(math.isnan(log) for log in logs) or max(logs) == -math.inf:
        return None
    weights = [math.exp(log - max(logs)) for log in logs]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def to_outcome(cast: Cast, transcript: Transcript, task: Task) -> Outcome:
    """How a match ended, with the verifier's verdict attached for measurement."""
    grades = tuple(
        Grade(
            grader=grader,
            levels=reply.levels,
            value=None if reply.levels is None else expected_level(reply.levels),
        )
        for grader, reply in zip(cast.match.graders, transcript.grades, strict=True)
    )
    answer = transcript.answer
    return Outcome(
        match=cast.match,
        query=cast.problem.query,
        answer=answer.text,
        finished=answer.finished,
        tokens=answer.tokens,
        log_probability=answer.log_probability,
        grades=grades,
        verdict=answer.finished and task.verify(cast.problem.query, answer.text),
    )


def _examples(agent: Agent) -> tuple[Pair, ...]:
    return tuple((example.query, example.answer) for example in agent.genome.context)
