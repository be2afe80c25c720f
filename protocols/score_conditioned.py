"""The score-conditioned protocol: a survey level is asked for before the answer is given."""

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
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, grades


def score_conditioned(query: str, options: ProtocolOptions) -> Conversation:
    """An answer of the wanted level, then k grades by others, who are not told of the wish."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query, wanted=options.wanted)]))
    seats = [grader_seat(i) for i in range(options.graders)]
    replies = yield [GradeRequest(seat, query, answer.text) for seat in seats]
    return Transcript(answer, grades(replies))


def score_conditioned_columns(options: ProtocolOptions) -> Columns:
    """`score_conditioned` in every conversation at once."""
    return answered_and_graded(graders(options.graders), wanted=options.wanted)


SCORE_CONDITIONED = Protocol(
    "score-conditioned",
    "One answers after the level that is wanted of the answer; k others grade it.",
    score_conditioned,
    settings=("protocol.wanted",),
    columns=score_conditioned_columns,
)
