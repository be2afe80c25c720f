"""The self-play protocol: an agent plays the position out against k others; a win is its grade."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

from mgptn.protocols.games.nim import Nim
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    Conversation,
    GradeReply,
    Seat,
    Transcript,
    grader_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers
from mgptn.protocols.scale import certainty


def self_play(query: str, options: ProtocolOptions) -> Conversation:
    """The author's move, which counts; then a game from there with each opponent, side by side.

    Who has to move where no stone is left has lost, and so has who makes no legal move. Nobody
    is told more than the position, and no verdict is read.

    Raises
    ------
    ValueError
        If the query is no position of a game.
    """
    rules = _rules_of(query)
    (first,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    games = [_Game(query, grader_seat(i), draw=i + 1) for i in range(options.graders)]
    for game in games:
        game.move(first, rules)
    while going := [game for game in games if game.won is None]:
        asked = [AnswerRequest(game.to_move, game.position, game.draw) for game in going]
        for game, said in zip(going, answers((yield asked)), strict=True):
            game.draw += options.graders  # no two moves of a conversation share one
            game.move(said, rules)
    return Transcript(first, tuple(GradeReply(certainty(float(bool(g.won)))) for g in games))


@dataclass(slots=True)
class _Game:
    """A game between the author and one opponent; `won` says by the author, None before its end."""

    position: str
    opponent: Seat
    draw: int
    to_move: Seat = AUTHOR
    won: bool | None = None

    def move(self, said: AnswerReply, rules: Nim) -> None:
        """Whoever is to move has moved."""
        mine = self.to_move == AUTHOR
        after = rules.play(self.position, said.text) if said.finished else None
        if after is None:
            self.won = not mine
        elif rules.is_over(after):
            self.won = mine
        else:
            self.position, self.to_move = after, self.opponent if mine else AUTHOR


def _rules_of(query: str) -> Nim:
    size = len(query) // 2
    if size in Nim.sizes and (rules := Nim(size)).heaps(query) is not None:
        return rules
    raise ValueError(f"query: expected a position of {Nim.name}, such as a3b5=, got {query!r}")


SELF_PLAY = Protocol(
    "self-play",
    "One moves, and plays on against k others from there; each game won is a top grade.",
    self_play,
    tasks=(Nim.name,),
)
