"""The debate protocol: two authors see each other's answers and answer again; a judge decides."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    Conversation,
    Remark,
    Transcript,
    Turn,
    partner_seat,
)
from mgptn.protocols.pairwise import both_orders, judged
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, comparisons


def debate(query: str, options: ProtocolOptions) -> Conversation:
    """Two answers; n turns in which each is shown the other's; then who was right in the end.

    Source
    ------
    Du et al. 2023, "Improving factuality and reasoning in language models through multiagent
    debate": what is exchanged is answers.
    """
    seats = AUTHOR, partner_seat(0)
    answer, rival = answers((yield [AnswerRequest(seat, query) for seat in seats]))
    said: list[Turn] = []
    for turn in range(1, options.turns + 1):
        said += [Turn("draft", answer), Turn("rival", rival)]
        heard = _heard(query, rival), _heard(query, answer)
        asked = [
            AnswerRequest(seat, query, draw=turn, shown=(remark,))
            for seat, remark in zip(seats, heard, strict=True)
        ]
        answer, rival = answers((yield asked))
    replies = comparisons((yield both_orders(query, answer, rival, options.graders)))
    grades, effects = judged(replies)
    return Transcript(answer, grades, (*said, Turn("rival", rival)), effects)


def _heard(query: str, answer: AnswerReply) -> Remark:
    return Remark(query, answer.text)


DEBATE = Protocol(
    "debate",
    "Two answer, are shown each other's answers and answer again, n times; judges compare.",
    debate,
    partners=1,
    compares=True,
    settings=("protocol.turns",),
)
