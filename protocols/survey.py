"""The survey protocol: one agent answers, k others say how good the answer is on five levels."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    Conversation,
    GradeReply,
    GradeRequest,
    Transcript,
    grader_seat,
)


def survey(query: str, graders: int) -> Conversation:
    """Answer, then k grades of that answer, read from the graders' logits and never sampled.

    Parameters
    ----------
    query
        Canonical text of the problem.
    graders
        How many seats grade.
    """
    (answer,) = yield [AnswerRequest(AUTHOR, query)]
    assert isinstance(answer, AnswerReply)
    replies = yield [GradeRequest(grader_seat(i), query, answer.text) for i in range(graders)]
    grades = tuple(reply for reply in replies if isinstance(reply, GradeReply))
    return Transcript(answer, grades)
