"""The cherry-pick protocol: one author gives n answers, and a human picks one or none of them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    Conversation,
    PickReply,
    PickRequest,
    Transcript,
    Turn,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, nobody


def cherry_pick(query: str, options: ProtocolOptions) -> Conversation:
    """n answers; the picked one counts and is rated 1. If none is picked, the first is rated 0."""
    draws = range(options.draws)
    candidates = answers((yield [AnswerRequest(AUTHOR, query, draw=i) for i in draws]))
    (pick,) = yield [PickRequest(query, tuple(c.text for c in candidates))]
    assert isinstance(pick, PickReply)
    picked = 0 if pick.choice is None else pick.choice
    others = tuple(Turn("candidate", candidates[i]) for i in draws if i != picked)
    return Transcript(candidates[picked], turns=others, rating=float(pick.choice is not None))


CHERRY_PICK = Protocol(
    "cherry-pick",
    "One gives n answers; a human picks one, or none.",
    cherry_pick,
    seating=nobody,
    settings=("protocol.draws", "human"),
)
