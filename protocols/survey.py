"""The survey protocol: one agent answers, k others say how good the answer is on five levels."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    Conversation,
    GradeRequest,
    Transcript,
    grader_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, grades


def survey(query: str, options: ProtocolOptions) -> Conversation:
    """Answer, then k grades of that answer."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    seats = [grader_seat(i) for i in range(options.graders)]
    replies = yield [GradeRequest(seat, query, answer.text) for seat in seats]
    return Transcript(answer, grades(replies))


SURVEY = Protocol("survey", "One answers; k others grade it on the survey's levels.", survey)
