"""Casting: agents take the seats of protocols; what a seat is asked becomes a host request."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from mgptn.agents.endpoints.textual import TextOnly, said_of
from mgptn.agents.requests import AnyRequest, Generate, Score, Tokens
from mgptn.agents.texts import Weigh, Write
from mgptn.agents.tokens.encoder import Encoder
from mgptn.population.draws.streams import philox_key
from mgptn.population.records.agents import Agent, AgentId, Example
from mgptn.population.records.matches import Match
from mgptn.protocols.interfaces.interface import Asked, Interface, Prompt, Shown
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    CompareRequest,
    CritiqueRequest,
    GradeRequest,
    Request,
    RevisionRequest,
    Seat,
    grader_seat,
    partner_seat,
)
from mgptn.protocols.scale import LEVELS
from mgptn.protocols.tasks.task import Problem, Task


@dataclass(frozen=True, slots=True)
class Script:
    """How the seats of one model's copies are asked: the same for every arm.

    Attributes
    ----------
    max_tokens
        Bounds an answer.
    grader_context
        What graders see before what they grade: ``"empty"``, ``"own"`` (their examples) or
        ``"shared"`` (those of the whole population that are newest).
    encoder
        Of the model's tokens; `TextOnly` where it is behind an endpoint.
    weights
        Hash of the model's files, or what stands for it.
    reading
        How grades are read: from the ``"logits"`` of options, as text that is ``"sampled"``, or as
        the answer's mean log-probability by the token under the grader's own answering: by itself,
        its ``"confidence"``, or less that of the same answer to no question, its ``"likelihood"``.
    instruction
        What is said of an answer's form; None to say nothing.
    shots
        Examples before every agent's own context; and, before an answer is graded, others with the
        levels that they deserve.
    """

    task: Task
    interface: Interface
    encoder: Encoder
    max_tokens: int
    grader_context: str
    seed: int
    weights: str
    reading: str = "logits"
    instruction: str | None = None
    shots: tuple[Shown, ...] = ()
    graded_shots: tuple[Shown, ...] = ()

    @property
    def by_answering(self) -> bool:
        """Are answers graded by how likely the grader would give them, and nobody asked?"""
        return self.reading in ("likelihood", "confidence")

    @property
    def sampled(self) -> bool:
        """Are grades sampled as text?"""
        return self.reading == "sampled"


def grown_script(script: Script, task: Task) -> Script:
    """A script for another size of its task."""
    longer = task.max_answer_characters - script.task.max_answer_characters
    return replace(script, task=task, max_tokens=script.max_tokens + longer)


@dataclass(frozen=True, slots=True)
class Cast:
    """One match on stage: who sits where, for which problem, before which shared examples."""

    match: Match
    problem: Problem
    seats: dict[Seat, Agent]
    generation: int
    shared: tuple[Shown, ...] = ()


def cast_match(
    match: Match,
    problem: Problem,
    agents: Mapping[AgentId, Agent],
    generation: int,
    shared: tuple[Shown, ...] = (),
) -> Cast:
    """Seat a match's author, graders and partners."""
    seats = {AUTHOR: agents[match.author]}
    seats |= {grader_seat(i): agents[grader] for i, grader in enumerate(match.graders)}
    seats |= {partner_seat(i): agents[partner] for i, partner in enumerate(match.partners)}
    return Cast(match, problem, seats, generation, shared)


def to_host(request: Request, cast: Cast, script: Script) -> AnyRequest:
    """A request to a seat, as one to a host or a server: the seated agent's genome and the layout
    applied.

    Raises
    ------
    TypeError
        If the request is to a human.
    """
    agent, layout = cast.seats[request.seat], script.interface
    asked = asked_to_answer(request.query, agent, script)
    match request:
        case AnswerRequest():
            remarks = tuple(Shown(r.query, r.answer, r.level) for r in request.shown)
            asked = asked_to_answer(request.query, agent, script, request.wanted, remarks)
            prompt = layout.answer_prompt(asked)
            # An agent's answer is the same in every conversation in which it is shown nothing.
            here = (cast.match.author,) if request.shown else ()
            draw = (request.draw,) if request.draw or here else ()
            return _answer(prompt, agent, cast, script, *here, *draw)
        case RevisionRequest():
            prompt = layout.revision_prompt(
                replace(asked, answer=request.draft, critique=request.critique)
            )
            return _answer(prompt, agent, cast, script, "revision", request.draw)
        case CritiqueRequest():
            prompt = layout.critique_prompt(replace(asked, answer=request.answer))
            return _words(prompt, "critique", request.answer, agent, cast, script)
        case GradeRequest():
            context = script.grader_context if request.context == "configured" else "own"
            before = before_grading(agent, context, cast.shared)
            if script.by_answering:
                asked = replace(asked, examples=(*script.shots, *before))
                return _likelihood(asked, request.answer, script)
            prompt = layout.grade_prompt(
                asked_to_grade(request.query, request.answer, agent, before, script)
            )
            if script.sampled:
                return _words(prompt, "grade", request.answer, agent, cast, script)
            return _score(prompt, layout.level_options, script)
        case CompareRequest():
            before = before_grading(agent, script.grader_context, cast.shared)
            ballot = layout.ballot(
                replace(asked, answer=request.first, rival=request.second, examples=before)
            )
            return _score(ballot.prompt, ballot.options, script)
    raise TypeError(f"request: expected one to an agent, got {request!r}")


def shared_examples(agents: Sequence[Agent], capacity: int) -> tuple[Shown, ...]:
    """The newest examples of a population, each once, oldest first: newest of every agent first.

    Parameters
    ----------
    agents
        In slot order.
    capacity
        Examples at most.
    """
    contexts = [shown_of(agent) for agent in agents]
    found: dict[Shown, None] = {}
    for back in range(1, max(map(len, contexts), default=0) + 1):
        for context in contexts:
            if back <= len(context):
                found.setdefault(context[-back])
        if len(found) >= capacity:
            break
    return tuple(reversed(list(found)[:capacity]))


def shown_of(agent: Agent) -> tuple[Shown, ...]:
    """An agent's context as its interface shows it."""
    return _shown(agent.genome.context)


@lru_cache(maxsize=1 << 12)
def _shown(context: tuple[Example, ...]) -> tuple[Shown, ...]:
    return tuple(Shown(e.query, e.answer, e.level) for e in context)


def before_grading(agent: Agent, context: str, shared: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """What an agent is shown before it grades, by a name in `Script.grader_context`."""
    return {"empty": (), "own": shown_of(agent), "shared": shared}[context]


def asked_to_answer(
    query: str,
    agent: Agent,
    script: Script,
    wanted: int | None = None,
    remarks: tuple[Shown, ...] = (),
) -> Asked:
    """A query as it is put to an agent, after its own examples and what was said before.

    Parameters
    ----------
    wanted
        Survey level, from 0.
    """
    return Asked(
        query,
        examples=(*script.shots, *shown_of(agent), *remarks),
        persona=agent.genome.persona,
        wanted=None if wanted is None else LEVELS[wanted],
        instruction=script.instruction,
    )


def asked_to_grade(
    query: str, answer: str, agent: Agent, before: tuple[Shown, ...], script: Script
) -> Asked:
    """An answer as it is put to an agent that grades, after some examples."""
    return Asked(
        query,
        answer,
        examples=before,
        persona=agent.genome.persona,
        instruction=script.instruction,
        shots=script.graded_shots,
    )


def _answer(
    prompt: Prompt, agent: Agent, cast: Cast, script: Script, *place: int | str
) -> Generate | Write:
    key = philox_key(script.seed, "answer", cast.generation, agent.id, cast.match.problem, *place)
    return _write(prompt, script.max_tokens, agent.genome.sampling_temperature, key, script)


def _words(
    prompt: Prompt, purpose: str, answer: str, agent: Agent, cast: Cast, script: Script
) -> Generate | Write:
    """A grade or a critique told in words, at sampling temperature 1: as the model would say it."""
    layout = script.interface
    limit = layout.grade_tokens if purpose == "grade" else layout.critique_tokens
    key = philox_key(
        script.seed, purpose, cast.generation, agent.id, cast.match.author, cast.match.problem,
        answer.encode("utf-8", "backslashreplace").decode(),
    )  # fmt: skip
    return _write(prompt, limit, 1.0, key, script)


def _write(
    prompt: Prompt, limit: int, temperature: float, key: tuple[int, int], script: Script
) -> Generate | Write:
    encoder, layout = script.encoder, script.interface
    if isinstance(encoder, TextOnly):
        return Write(said_of(prompt), layout.endings, limit, temperature, key)
    return Generate(
        prefix=encoder.prefix(prompt.prefix),
        suffix=encoder.suffix(prompt.suffix),
        stops=encoder.stops(layout.stops),
        max_tokens=limit,
        sampling_temperature=temperature,
        key=key,
        endings=encoder.endings(layout.endings),
    )


def weighs_alone(request: Request, script: Script) -> bool:
    """Is a request a grade by likelihood, which is compared with `answer_alone`?"""
    return script.reading == "likelihood" and isinstance(request, GradeRequest)


def answer_alone(request: GradeRequest, script: Script) -> Score | Weigh:
    """What a grade by likelihood is compared with: the same answer to no question."""
    return _likelihood(Asked("", instruction=script.instruction), request.answer, script)


def _likelihood(asked: Asked, answer: str, script: Script) -> Score | Weigh:
    """The answer as what the grader might have said itself."""
    layout = script.interface
    return _score(layout.answer_prompt(asked), (layout.said(answer),), script)


def _score(prompt: Prompt, options: tuple[str, ...], script: Script) -> Score | Weigh:
    if isinstance(script.encoder, TextOnly):
        return Weigh(said_of(prompt), options)
    prefix = script.encoder.prefix(prompt.prefix)
    suffix, continued = script.encoder.before(prompt.suffix, options)
    return scoring(prefix, suffix, continued)


def scoring(prefix: Tokens, suffix: Tokens, options: tuple[Tokens, ...]) -> Score:
    """A request to score options after a prefix and a suffix, one of which may be empty."""
    if not suffix:  # a request's own part has at least a token
        prefix, suffix = prefix[:-1], prefix[-1:]
    return Score(prefix, suffix, options)
