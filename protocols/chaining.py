"""Iterative chaining: an agent labels its own answers after those that it labelled before.

No gold label enters anywhere. Every answer enters its author's context with the label that the
author gave it, so labels evolve by themselves; whether they drift is seen against the verdicts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.columns import Columns, answered_and_graded
from mgptn.protocols.messages import AUTHOR, AnswerRequest, Conversation, GradeRequest, Transcript
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, grades, itself


def chaining(query: str, options: ProtocolOptions) -> Conversation:
    """Answer, then label the answer; both after what was answered and labelled before."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    replies = yield [GradeRequest(AUTHOR, query, answer.text, context="own")]
    return Transcript(answer, grades(replies))


def chaining_columns(options: ProtocolOptions) -> Columns:
    """`chaining` in every conversation at once."""
    return answered_and_graded([AUTHOR], context="own")


CHAINING = Protocol(
    "chaining",
    "One labels its own answers; all enter its context with their labels, and shape the next.",
    chaining,
    seating=itself,
    feeds="all",
    entry="graded",
    columns=chaining_columns,
)
