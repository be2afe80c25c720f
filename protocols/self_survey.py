"""The self-survey protocol: the author grades its own answer."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.messages import AUTHOR, AnswerRequest, Conversation, GradeRequest, Transcript
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, grades, itself


def self_survey(query: str, options: ProtocolOptions) -> Conversation:
    """Answer, then the author's own grade of it."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    replies = yield [GradeRequest(AUTHOR, query, answer.text)]
    return Transcript(answer, grades(replies))


SELF_SURVEY = Protocol(
    "self-survey", "One answers, and grades its own answer.", self_survey, seating=itself
)
