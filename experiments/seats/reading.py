"""Replies of hosts as what the seats say, and conversations that have ended as outcomes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

from mgptn.agents.requests import AnyReply, Generated, Scored
from mgptn.agents.texts import Weighed, Written
from mgptn.experiments.seats.asking import Cast, Script
from mgptn.population.records.outcomes import Grade, Outcome
from mgptn.population.records.turns import Turn
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.interfaces.reading import normalised, option_mass
from mgptn.protocols.messages import (
    AnswerReply,
    AnswerRequest,
    CompareReply,
    CompareRequest,
    CritiqueRequest,
    GradeReply,
    GradeRequest,
    Reply,
    Request,
    RevisionRequest,
    Transcript,
)
from mgptn.protocols.messages import Turn as Said
from mgptn.protocols.scale import certainty, expected_level, mean_level
from mgptn.protocols.tasks.task import Task


def from_host(
    reply: AnyReply, request: Request, script: Script, alone: AnyReply | None = None
) -> Reply:
    """A host's or a server's reply, as what the seat says; what cannot be read is None.

    Parameters
    ----------
    alone
        The reply to what a grade by likelihood is compared with, `asking.answer_alone`.
    """
    layout = script.interface
    if isinstance(reply, Scored) and isinstance(alone, Scored):
        gain = _by_the_token(reply, request, script) - _by_the_token(alone, request, script)
        return GradeReply(_odds_of(gain))
    if isinstance(reply, Scored | Weighed):
        if isinstance(request, CompareRequest):
            # What a ballot's options mean does not depend on the answers.
            ballot = layout.ballot(Asked(request.query, request.first, request.second))
            logs = reply.log_probabilities
            return CompareReply(ballot.read(logs), option_mass(logs[: ballot.next_words]))
        if isinstance(reply, Scored) and script.by_answering:
            return GradeReply(_probability_of(_by_the_token(reply, request, script)))
        return grade_of(reply, script)
    if isinstance(request, AnswerRequest | RevisionRequest):
        return answer_of(reply, request.query, script)
    written = _text(reply, script, whole=True)
    if isinstance(request, CritiqueRequest):
        return _answer(layout.read_critique(written), written, reply, script)
    option = layout.read_grade(written)
    if option is None:
        return GradeReply(None)
    certain = [float(i == option) for i in range(len(layout.level_options))]
    return GradeReply(layout.wording.distribution(certain))


def grade_of(reply: Scored | Weighed, script: Script) -> GradeReply:
    """What options' log-probabilities say of an answer."""
    return GradeReply(read_levels(reply, script), option_mass(reply.log_probabilities))


def answer_of(reply: Generated | Written, query: str, script: Script) -> AnswerReply:
    """What was written in answer to a query."""
    written = _text(reply, script)
    text = script.interface.read_answer(written)
    part = part_that_counts(query, text, script.task)
    return _answer(text, written, reply, script, part)


def _by_the_token(reply: Scored, request: Request, script: Script) -> float:
    """The mean log-probability of an answer's tokens; NaN of an answer that has none."""
    assert isinstance(request, GradeRequest)
    tokens = len(script.encoder.suffix(script.interface.said(request.answer)))
    return reply.log_probabilities[0] / tokens if tokens else math.nan


def _odds_of(gain: float) -> tuple[float, ...] | None:
    """How much likelier an answer is after its question than after none, as a grade."""
    return None if math.isnan(gain) else certainty(1.0 / (1.0 + math.exp(-max(-700.0, gain))))


def _probability_of(mean: float) -> tuple[float, ...] | None:
    """The geometric mean of an answer's tokens' probabilities, as a grade."""
    return None if math.isnan(mean) else certainty(min(1.0, math.exp(mean)))


def read_levels(reply: Scored | Weighed, script: Script) -> tuple[float, ...] | None:
    """The distribution over the survey's levels; None unless every logit was a number."""
    over_options = normalised(reply.log_probabilities)
    return None if over_options is None else script.interface.wording.distribution(over_options)


def part_that_counts(query: str, answer: str, task: Task) -> str | None:
    """What counts of an answer to its task; None where all of it does."""
    # To ask whether it is a `CountsParts`, of every answer, would take longer than the rest.
    counted = getattr(task, "counted", None)
    part: str | None = None if counted is None else counted(query, answer)
    return part


def to_outcome(cast: Cast, transcript: Transcript) -> Outcome:
    """How a match ended; no verdict is known yet."""
    answer = transcript.answer
    return Outcome(
        match=cast.match,
        query=cast.problem.query,
        answer=answer.text,
        finished=answer.finished,
        tokens=answer.tokens,
        log_probability=answer.log_probability,
        grades=tuple(
            Grade(
                grader=grader,
                levels=reply.levels,
                value=None if reply.levels is None else expected_level(reply.levels),
                mass=reply.mass,
            )
            for grader, reply in zip(cast.match.graders, transcript.grades, strict=True)
        ),
        verdict=None,
        turns=tuple(_turn(said) for said in transcript.turns),
        order_effects=transcript.order_effects,
        rating=transcript.rating,
        part=answer.part,
    )


def _text(reply: Generated | Written, script: Script, *, whole: bool = False) -> str:
    """What was written; of a host's tokens the special ones too, if `whole`."""
    if isinstance(reply, Written):
        return reply.text
    return (script.encoder.written if whole else script.encoder.decode)(reply.tokens)


def _answer(
    text: str,
    written: str,
    reply: Generated | Written,
    script: Script,
    part: str | None = None,
) -> AnswerReply:
    finished = reply.finished or any(ending in written for ending in script.interface.endings)
    if isinstance(reply, Written):
        return AnswerReply(text, finished, reply.tokens, math.nan, part)
    return AnswerReply(text, finished, len(reply.tokens), reply.log_probability, part)


def _turn(turn: Said) -> Turn:
    value = mean_level(grade.levels for grade in turn.grades)
    return Turn(
        kind=turn.kind,
        text=turn.said.text,
        finished=turn.said.finished,
        verdict=None,
        value=value if value >= 0.0 else None,
    )
