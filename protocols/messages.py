"""What is said in a protocol: requests addressed to seats, and the replies to them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, NewType

from mgptn.protocols.tasks.trials import Program, Ran

Seat = NewType("Seat", str)
"""A role in a protocol; which agent sits in it is not the protocol's business."""

AUTHOR = Seat("author")
HUMAN = Seat("human")


def grader_seat(index: int) -> Seat:
    """The seat of the grader with this index, from 0."""
    return Seat(f"grader {index + 1}")


def partner_seat(index: int) -> Seat:
    """The seat of the partner with this index, from 0: a rival, a critic."""
    return Seat(f"partner {index + 1}")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said earlier in the conversation, shown as an example after the seat's own.

    `level` is the survey level that it was given, from 0; None to show none.
    """

    query: str
    answer: str
    level: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """Ask a seat to answer a query, sampling from its own distribution.

    `draw` tells a seat's independent samples of one problem apart, `shown` is what it is shown
    of the conversation, and `wanted` the survey level that is asked for, from 0.
    """

    seat: Seat
    query: str
    draw: int = 0
    shown: tuple[Remark, ...] = ()
    wanted: int | None = None


@dataclass(frozen=True, slots=True)
class CritiqueRequest:
    """Ask a seat what is to be said of an answer, in its own words as far as it has any."""

    seat: Seat
    query: str
    answer: str


@dataclass(frozen=True, slots=True)
class RevisionRequest:
    """Ask a seat to answer again, shown its draft and what was said of it."""

    seat: Seat
    query: str
    draft: str
    critique: str
    draw: int = 1


@dataclass(frozen=True, slots=True)
class GradeRequest:
    """Ask a seat how good an answer is, after the configured context or its own."""

    seat: Seat
    query: str
    answer: str
    context: Literal["configured", "own"] = "configured"


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Ask a seat which of two answers is better, shown in this order; nothing is sampled."""

    seat: Seat
    query: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class PickRequest:
    """Ask a human which of some answers is best; the human may refuse them all."""

    query: str
    candidates: tuple[str, ...]
    seat: Seat = HUMAN


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Have a program run in a sandbox; nobody is asked. Yielded with nothing of another kind."""

    program: Program


@dataclass(frozen=True, slots=True)
class AnswerReply:
    """An answer, a revision or a critique as it was sampled.

    `finished` is False if it was cut off at its maximum length; `log_probability` is the sum over
    its `tokens` tokens, in nats, under the sampled distribution. `part` is what counts of the text
    to its task; None where all of it does.
    """

    text: str
    finished: bool
    tokens: int
    log_probability: float
    part: str | None = None

    @property
    def counted(self) -> str:
        """What counts: the same for answers that are the same."""
        return self.text if self.part is None else self.part


@dataclass(frozen=True, slots=True)
class GradeReply:
    """A distribution over the survey's levels, worst first; None where it could not be read.

    `mass` is the probability that the grader's next words were one of the options that it was given
    at all; None where no logits were read.
    """

    levels: tuple[float, ...] | None
    mass: float | None = None


@dataclass(frozen=True, slots=True)
class CompareReply:
    """Probability that the answer shown first is the better one; None where it was unreadable.

    `mass` as of `GradeReply`.
    """

    first: float | None
    mass: float | None = None


@dataclass(frozen=True, slots=True)
class PickReply:
    """Index of the candidate that the human picked; None if the human refused them all."""

    choice: int | None


@dataclass(frozen=True, slots=True)
class RunReply:
    """What came of a program."""

    ran: Ran


Request = (
    AnswerRequest | CritiqueRequest | RevisionRequest | GradeRequest | CompareRequest | PickRequest
)
Reply = AnswerReply | GradeReply | CompareReply | PickReply | RunReply


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said on the way that is not the answer that counts.

    `kind` is ``"draft"``, ``"candidate"``, ``"rival"`` (answers, which the verifier judges too) or
    ``"critique"``; `grades` are those it got.
    """

    kind: Literal["draft", "candidate", "rival", "critique"]
    said: AnswerReply
    grades: tuple[GradeReply, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a protocol ends in.

    Attributes
    ----------
    answer
        The answer that counts.
    grades
        Its grades, in the seats' order; none where nobody grades.
    turns
        What else was said, in order.
    order_effects
        A comparison's P(first wins) with the answer shown first, plus the same with it shown
        second, minus 1: 0 for a grader who does not mind the order, in the seats' order; None
        where it could not be read. Empty where nothing is compared.
    rating
        What a human made of the answer, in [0, 1]; None where no human looked.
    """

    answer: AnswerReply
    grades: tuple[GradeReply, ...] = ()
    turns: tuple[Turn, ...] = ()
    order_effects: tuple[float | None, ...] = ()
    rating: float | None = None


Conversation = Generator[Sequence[Request] | Sequence[RunRequest], Sequence[Reply], Transcript]
"""A protocol under way: yields a batch of requests, is sent their replies in the same order."""
