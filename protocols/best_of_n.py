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
    Request,
    Seat,
    Transcript,
    Turn,
    grader_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, Seating, answers, grades, nobody
from mgptn.protocols.scale import mean_level


def best_of_n(query: str, options: ProtocolOptions) -> Conversation:
    """n answers, each graded by all who pick; the first of the best ones counts.

    Where a human picks, the others' grades stand beside that, and pick nothing.
    """
    draws = range(options.draws)
    candidates = answers((yield [AnswerRequest(AUTHOR, query, draw=i) for i in draws]))
    seats = _pickers(options)
    asked: list[Request] = [GradeRequest(seat, query, c.text) for c in candidates for seat in seats]
    if options.picker == "human":
        asked.append(PickRequest(query, tuple(c.text for c in candidates)))
    replies = yield asked
    given = grades(replies)
    of_each = [given[i * len(seats) : (i + 1) * len(seats)] for i in draws]
    best, rating = max(draws, key=lambda i: (mean_level(g.levels for g in of_each[i]), -i)), None
    for pick in replies:
        if isinstance(pick, PickReply):
            best, rating = _counted(pick)
    others = (Turn("candidate", candidates[i], of_each[i]) for i in draws if i != best)
    return Transcript(candidates[best], of_each[best], tuple(others), rating=rating)


def _pickers(options: ProtocolOptions) -> list[Seat]:
    if options.picker == "self":
        return [AUTHOR]
    return [grader_seat(i) for i in range(options.graders)]


def _seating(options: ProtocolOptions) -> Seating:
    return "self" if options.picker == "self" else "peers"


def _counted(pick: PickReply) -> tuple[int, float]:
    """Which candidate counts, and how it is rated: the first one where none was picked."""
    return (0, 0.0) if pick.choice is None else (pick.choice, 1.0)


def cherry_pick(query: str, options: ProtocolOptions) -> Conversation:
    """n answers; the picked one counts and is rated 1. If none is picked, the first is rated 0."""
    draws = range(options.draws)
    candidates = answers((yield [AnswerRequest(AUTHOR, query, draw=i) for i in draws]))
    (pick,) = yield [PickRequest(query, tuple(c.text for c in candidates))]
    assert isinstance(pick, PickReply)
    picked, rating = _counted(pick)
    others = tuple(Turn("candidate", candidates[i]) for i in draws if i != picked)
    return Transcript(candidates[picked], turns=others, rating=rating)


BEST_OF_N = Protocol(
    "best-of-n",
    "One gives n answers; k others' grades, its own, or a human pick the one that counts.",
    best_of_n,
    seating=_seating,
    settings=("protocol.draws", "protocol.picker", "human"),
)

CHERRY_PICK = Protocol(
    "cherry-pick",
    "One gives n answers; a human picks one, or none.",
    cherry_pick,
    seating=nobody,
    settings=("protocol.draws", "human"),
)
