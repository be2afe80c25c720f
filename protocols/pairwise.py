"""The pairwise protocol: graders compare two agents' answers, shown in both orders."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    CompareReply,
    CompareRequest,
    Conversation,
    GradeReply,
    Request,
    Transcript,
    Turn,
    grader_seat,
    partner_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, comparisons
from mgptn.protocols.scale import certainty


def pairwise(query: str, options: ProtocolOptions) -> Conversation:
    """The author's and a rival's answer; each grader says twice which is better."""
    seats = AUTHOR, partner_seat(0)
    answer, rival = answers((yield [AnswerRequest(seat, query) for seat in seats]))
    replies = comparisons((yield both_orders(query, answer, rival, options.graders)))
    grades, effects = judged(replies)
    return Transcript(answer, grades, (Turn("rival", rival),), effects)


def both_orders(query: str, answer: AnswerReply, rival: AnswerReply, graders: int) -> list[Request]:
    """Each grader's two requests: the answer shown first, and shown second."""
    orders = (answer.text, rival.text), (rival.text, answer.text)
    return [
        CompareRequest(grader_seat(i), query, *order) for i in range(graders) for order in orders
    ]


def judged(
    replies: Sequence[CompareReply],
) -> tuple[tuple[GradeReply, ...], tuple[float | None, ...]]:
    """What each grader's two replies say of the answer, free of the order, and the order's effect.

    With p and q the probabilities that what is shown first wins, the answer being shown first and
    second: it wins with probability (p + 1 − q)/2, and the order's effect is p + q − 1. Of the two
    masses the grade has the lesser.
    """
    grades: list[GradeReply] = []
    effects: list[float | None] = []
    for shown_first, shown_second in zip(replies[::2], replies[1::2], strict=True):
        p, q = shown_first.first, shown_second.first
        masses = shown_first.mass, shown_second.mass
        least = None if None in masses else min(m for m in masses if m is not None)
        if p is None or q is None:
            grades.append(GradeReply(None, least))
            effects.append(None)
        else:
            grades.append(GradeReply(certainty((p + 1.0 - q) / 2.0), least))
            effects.append(p + q - 1.0)
    return tuple(grades), tuple(effects)


PAIRWISE = Protocol(
    "pairwise",
    "Two answer; k graders compare the answers in both orders.",
    pairwise,
    partners=1,
    compares=True,
)
