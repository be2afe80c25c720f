"""The critique-revise protocol: an answer, another's critique of it, a revision; both graded."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    Conversation,
    CritiqueRequest,
    GradeRequest,
    RevisionRequest,
    Transcript,
    Turn,
    grader_seat,
    partner_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, grades


def critique_revise(query: str, options: ProtocolOptions) -> Conversation:
    """A draft; n times a critic's word and a revision; k grades of the draft and of the end."""
    (draft,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    answer, said = draft, []
    for turn in range(options.turns):
        (critique,) = answers((yield [CritiqueRequest(partner_seat(0), query, answer.text)]))
        said += [Turn("draft", answer), Turn("critique", critique)]
        revision = RevisionRequest(AUTHOR, query, answer.text, critique.text, draw=turn + 1)
        (answer,) = answers((yield [revision]))
    seats = [grader_seat(i) for i in range(options.graders)]
    texts = draft.text, answer.text
    given = grades((yield [GradeRequest(seat, query, t) for t in texts for seat in seats]))
    said[0] = replace(said[0], grades=given[: len(seats)])
    return Transcript(answer, given[len(seats) :], tuple(said))


CRITIQUE_REVISE = Protocol(
    "critique-revise",
    "One answers, another says what is wrong, the first revises; k others grade before and after.",
    critique_revise,
    partners=1,
    settings=("protocol.turns",),
)
