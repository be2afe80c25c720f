"""A protocol's rounds as columns: what all conversations of a generation ask alike, told once.

A protocol whose every conversation takes the same course may be told so beside its generator, as a
generator of its own that is sent a column of replies where the other is sent one. The two must say
the same of every conversation; nothing but time depends on which of them is played.

Dimensions: A conversations of a generation, D distinct replies.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    GradeReply,
    GradeRequest,
    Reply,
    Seat,
    Transcript,
    grader_seat,
)

Said = TypeVar("Said", bound=Reply)


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[Said]):
    """What a seat replied in every conversation.

    Attributes
    ----------
    said
        [D] replies; columns of one round may share them as an object.
    places
        int64 [A], index in `said` of each conversation's.
    """

    said: Sequence[Said]
    places: NDArray[np.int64]

    def __getitem__(self, conversation: int) -> Said:
        return self.said[int(self.places[conversation])]


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """In every conversation the `AnswerRequest` of its query to a seat that is shown nothing."""

    seat: Seat
    draw: int = 0
    wanted: int | None = None

    def of(self, conversation: int, query: str) -> AnswerRequest:
        """The request in one conversation."""
        return AnswerRequest(self.seat, query, self.draw, wanted=self.wanted)


@dataclass(frozen=True, slots=True, eq=False)
class GradeColumn:
    """In every conversation the `GradeRequest` to a seat of what was answered in it."""

    seat: Seat
    answers: Column[AnswerReply]
    context: Literal["configured", "own"] = "configured"

    def of(self, conversation: int, query: str) -> GradeRequest:
        """The request in one conversation."""
        return GradeRequest(self.seat, query, self.answers[conversation].text, self.context)


@dataclass(frozen=True, slots=True, eq=False)
class TranscriptColumns:
    """What all conversations end in: the answers that count, and a column of grades a seat."""

    answer: Column[AnswerReply]
    grades: tuple[Column[GradeReply], ...] = ()

    def of(self, conversation: int) -> Transcript:
        """How one conversation ended."""
        return Transcript(
            self.answer[conversation], tuple(column[conversation] for column in self.grades)
        )


RequestColumn = AnswerColumn | GradeColumn
Columns = Generator[Sequence[RequestColumn], Sequence[Column[Any]], TranscriptColumns]
"""All conversations of a generation under way: yields a round, of answers alone or of grades alone,
and is sent a column of replies for each column asked."""


def answered_and_graded(
    seats: Sequence[Seat],
    wanted: int | None = None,
    context: Literal["configured", "own"] = "configured",
) -> Columns:
    """An author's answer in every conversation, then each seat's grade of it."""
    (answer,) = yield [AnswerColumn(AUTHOR, wanted=wanted)]
    grades = yield [GradeColumn(seat, answer, context) for seat in seats]
    return TranscriptColumns(answer, tuple(grades))


def graders(count: int) -> list[Seat]:
    """The seats of the first graders."""
    return [grader_seat(i) for i in range(count)]
