"""The survey protocols: one agent answers, and k others, or it itself, say how good the answer is.

What is said is one of five levels. Both are told twice: as the story of one conversation, and in
columns, as that of all conversations of a generation.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.columns import Columns, answered_and_graded, graders
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    Conversation,
    GradeRequest,
    Transcript,
    grader_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, grades, itself


def survey(query: str, options: ProtocolOptions) -> Conversation:
    """Answer, then k grades of that answer."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    seats = [grader_seat(i) for i in range(options.graders)]
    replies = yield [GradeRequest(seat, query, answer.text) for seat in seats]
    return Transcript(answer, grades(replies))


def survey_columns(options: ProtocolOptions) -> Columns:
    """`survey` in every conversation at once."""
    return answered_and_graded(graders(options.graders))


def self_survey(query: str, options: ProtocolOptions) -> Conversation:
    """Answer, then the author's own grade of it."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    replies = yield [GradeRequest(AUTHOR, query, answer.text)]
    return Transcript(answer, grades(replies))


def self_survey_columns(options: ProtocolOptions) -> Columns:
    """`self_survey` in every conversation at once."""
    return answered_and_graded([AUTHOR])


SURVEY = Protocol(
    "survey",
    "One answers; k others grade it on the survey's levels.",
    survey,
    columns=survey_columns,
)

SELF_SURVEY = Protocol(
    "self-survey",
    "One answers, and grades its own answer.",
    self_survey,
    seating=itself,
    columns=self_survey_columns,
)
