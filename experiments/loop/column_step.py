"""A generation on hosts whose conversations all take one course: a column where each was one.

What `hosted_step` plays a conversation at a time comes out the same, in a fraction of the time.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

from mgptn.agents.endpoints.textual import TextOnly
from mgptn.agents.requests import TileReply
from mgptn.agents.tiles import Plan, plan_mixed
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.seats.gathering import gathered
from mgptn.experiments.seats.laying_out import ColumnAsking
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.agents import ORDINARY
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.tournament import Tournament
from mgptn.protocols.columns import AnswerColumn, Column, RequestColumn, TranscriptColumns
from mgptn.protocols.messages import Reply


class ColumnPlay(HostedPlay):
    """A generation of agents that are copies of a model, its conversations in columns."""

    def _begin(self) -> None:
        """Have all conversations begun."""
        stage, tournament, scene = self.stage, self.tournament, self._scene
        assert stage.protocol.columns is not None
        self._asking = ColumnAsking(
            self.matches, tournament.agents, scene.problems, scene.scripts,
            tournament.generation, self._shared(),
        )  # fmt: skip
        self._conversations = stage.protocol.columns(stage.config.protocol.as_options())
        self._columns: Sequence[RequestColumn] = ()
        self._transcripts: TranscriptColumns | None = None
        self._advance(None)

    @property
    def asks(self) -> bool:
        """Do the conversations wait for replies?"""
        return bool(self._columns)

    def plan(self) -> Plan:
        """Tiles for everything asked in this round."""
        self._laid = self._asking.lay_out(self._columns)
        answering = isinstance(self._columns[0], AnswerColumn)
        self.phase = "answer" if answering else "grade"
        self.counters[f"{self.phase}_requests"] += len(self._columns) * len(self.matches)
        began = time.perf_counter()
        slots = self.stage.config.hosts.slots
        planned = plan_mixed(self._laid.requests, slots, self._numbers)
        self._said: list[Reply | None] = [None] * len(planned.places)
        self._unread: dict[int, list[tuple[int, int]]] = {}
        for request, (tile, place) in enumerate(planned.places):
            self._unread.setdefault(tile, []).append((request, place))
        self.seconds["planner"] += time.perf_counter() - began
        return planned

    def hear(self, tile: int, reply: TileReply) -> None:
        """Read what was replied to one of the tiles, while hosts are at the others."""
        for request, place in self._unread.pop(tile):
            self._said[request] = self._laid.read[request](reply.replies[place])

    def answer(self, planned: Plan, replies: Sequence[TileReply]) -> None:
        """Send the conversations the replies to what they asked."""
        for tile in list(self._unread):
            self.hear(tile, replies[tile])
        self._advance(self._laid.columns(cast("list[Reply]", self._said)))

    def _gather(self) -> Outcomes:
        assert self._transcripts is not None
        return gathered(self.matches, self._scene.problems, self._transcripts)

    def _advance(self, replies: Sequence[Column[Any]] | None) -> None:
        """Send replies (None to begin), and keep what is asked next, or how all ended."""
        try:
            if replies is None:
                self._columns = next(self._conversations)
            else:
                self._columns = self._conversations.send(replies)
        except StopIteration as end:
            self._columns, self._transcripts = (), end.value


def plays_in_columns(stage: Stage, tournament: Tournament) -> bool:
    """Can a generation be played so?

    Its protocol must be told in columns, and every agent be asked for tokens by a host, graded by
    its logits, and say what it thinks.
    """
    asked = stage.scripts.values()
    return (
        stage.protocol.columns is not None
        and all(s.reading == "logits" and not isinstance(s.encoder, TextOnly) for s in asked)
        and all(agent.genome.role == ORDINARY for agent in tournament.agents)
    )
