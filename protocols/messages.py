"""What is said in a protocol: requests addressed to seats, and the replies to them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NewType

Seat = NewType("Seat", str)
"""A role in a protocol; which agent sits in it is not the protocol's business."""

AUTHOR = Seat("author")


def grader_seat(index: int) -> Seat:
    """The seat of the grader with this index, from 0."""
    return Seat(f"grader {index + 1}")


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """Ask a seat to answer a query, sampling from its own distribution."""

    seat: Seat
    query: str


@dataclass(frozen=True, slots=True)
class GradeRequest:
    """Ask a seat how good an answer is; nothing is sampled."""

    seat: Seat
    query: str
    answer: str


@dataclass(frozen=True, slots=True)
class AnswerReply:
    """An answer as it was sampled.

    `finished` is False if it was cut off at its maximum length; `log_probability` is the sum over
    its `tokens` tokens, in nats, under the sampled distribution.
    """

    text: str
    finished: bool
    tokens: int
    log_probability: float


@dataclass(frozen=True, slots=True)
class GradeReply:
    """A distribution over the survey's levels, worst first; None where it could not be read."""

    levels: tuple[float, ...] | None


Request = AnswerRequest | GradeRequest
Reply = AnswerReply | GradeReply


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a protocol ends in: the answer that counts, and its grades in the seats' order."""

    answer: AnswerReply
    grades: tuple[GradeReply, ...]


Conversation = Generator[Sequence[Request], Sequence[Reply], Transcript]
"""A protocol under way: yields a batch of requests, is sent their replies in the same order."""
