"""The majority protocol: no grades; k others answer too, and equal answers are votes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    Conversation,
    GradeReply,
    Transcript,
    grader_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers
from mgptn.protocols.scale import certainty


def majority(query: str, options: ProtocolOptions) -> Conversation:
    """Answers of the author and of k voters; a voter's grade is whether its answer is the same."""
    seats = [AUTHOR, *(grader_seat(i) for i in range(options.graders))]
    answer, *votes = answers((yield [AnswerRequest(seat, query) for seat in seats]))
    agrees = [float(vote.counted == answer.counted) for vote in votes]
    return Transcript(answer, tuple(GradeReply(certainty(agreed)) for agreed in agrees))


MAJORITY = Protocol(
    "majority", "One answers, k others answer too; each same answer is a vote for it.", majority
)
