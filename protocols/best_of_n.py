"""Protocols of n answers by one author: grades pick the one that counts, or a human does."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    Conversation,
    GradeRequest,
    PickReply,
    PickRequest,
    Seat,
    Transcript,
    Turn,
    grader_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, Seating, answers, grades, nobody
from mgptn.protocols.scale import mean_level


def best_of_n(query: str, options: ProtocolOptions) -> Conversation:
    """n answers, each graded by all who pick; the first of the best ones counts."""
    draws = range(options.draws)
    candidates = answers((yield [AnswerRequest(AUTHOR, query, draw=i) for i in draws]))
    seats = _pickers(options)
    asked = [GradeRequest(seat, query, c.text) for c in candidates for seat in seats]
    given = grades((yield asked))
    of_each = [given[i * len(seats) : (i + 1) * len(seats)] for i in draws]
    best = max(draws, key=lambda i: (mean_level(g.levels for g in of_each[i]), -i))
    others = (Turn("candidate", candidates[i], of_each[i]) for i in draws if i != best)
    return Transcript(candidates[best], of_each[best], tuple(others))


def _pickers(options: ProtocolOptions) -> list[Seat]:
    if options.picker == "self":
        return [AUTHOR]
    return [grader_seat(i) for i in range(options.graders)]


def _seating(options: ProtocolOptions) -> Seating:
    return options.picker


def cherry_pick(query: str, options: ProtocolOptions) -> Conversation:
    """n answers; the picked one counts and is rated 1. If none is picked, the first is rated 0."""
    draws = range(options.draws)
    candidates = answers((yield [AnswerRequest(AUTHOR, query, draw=i) for i in draws]))
    (pick,) = yield [PickRequest(query, tuple(c.text for c in candidates))]
    assert isinstance(pick, PickReply)
    picked = 0 if pick.choice is None else pick.choice
    others = tuple(Turn("candidate", candidates[i]) for i in draws if i != picked)
    return Transcript(candidates[picked], turns=others, rating=float(pick.choice is not None))


BEST_OF_N = Protocol(
    "best-of-n",
    "One gives n answers; k others' grades, or its own, pick the one that counts.",
    best_of_n,
    seating=_seating,
    settings=("protocol.draws", "protocol.picker"),
)

CHERRY_PICK = Protocol(
    "cherry-pick",
    "One gives n answers; a human picks one, or none.",
    cherry_pick,
    seating=nobody,
    settings=("protocol.draws", "human"),
)
