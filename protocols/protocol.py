"""What a protocol is: a conversation, who sits in it, and what of it enters a context."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mgptn.protocols.columns import Columns
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    CompareReply,
    Conversation,
    GradeReply,
    Reply,
    Request,
    RevisionRequest,
    RunReply,
    RunRequest,
)
from mgptn.protocols.scale import certainty
from mgptn.protocols.tasks.trials import Program, Ran

Seating = Literal["peers", "self", "nobody"]
"""Who takes the graders' seats: others, the author itself, nobody."""

Picker = Literal["peers", "self", "human"]
"""Who picks among an author's answers: graders, by their grades; or a human, beside them."""


@dataclass(frozen=True, slots=True)
class ProtocolOptions:
    """What is set about a protocol; each takes what concerns it.

    Attributes
    ----------
    graders
        Seats that grade, ≥ 1.
    draws
        Answers of one author, ≥ 2.
    turns
        Exchanges of a debate, or revisions, ≥ 1.
    wanted
        Survey level asked for, from 0.
    picker
        Whose grades pick.
    further
        Whatever a protocol from another package wants to be told.
    """

    graders: int = 4
    draws: int = 4
    turns: int = 1
    wanted: int = 4
    picker: Picker = "peers"
    further: Mapping[str, Any] = field(default_factory=dict)


def _peers(options: ProtocolOptions) -> Seating:
    return "peers"


def _anything(options: ProtocolOptions) -> None:
    return None


def _nothing_else(query: str, written: str) -> Sequence[Request]:
    return ()


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol as a run knows it.

    Attributes
    ----------
    name, summary
        As a configuration names it, and a line of what happens.
    converse
        Begins the conversation about a query.
    seating
        Who grades, given the options.
    partners
        Agents besides author and graders that take part in a conversation.
    compares
        Whether grades are of games against the first partner, and so can rate agents.
    feeds
        Whether answers enter their author's context only if ``"accepted"``, or ``"all"``.
    entry
        How an answer enters a context: None as configured, ``"graded"`` always with its grade.
    settings
        Keys of a configuration that it heeds beside those that all do.
    columns
        Begins all conversations of a generation at once, where every one takes the same course;
        None where none is to be told so. It must say the same as `converse`, only faster.
    tasks
        Names of the tasks that it is for; any, where there are none.
    runs
        Those of them whose programs it has run in a sandbox, by `RunRequest`.
    seldom
        What may be asked beside what is asked where everybody writes the same, given a query and
        the longest answer: it has to fit the models too.
    check
        Raises ValueError, naming what is wrong with its options, if something is.
    """

    name: str
    summary: str
    converse: Callable[[str, ProtocolOptions], Conversation]
    seating: Callable[[ProtocolOptions], Seating] = _peers
    partners: int = 0
    compares: bool = False
    feeds: Literal["accepted", "all"] = "accepted"
    entry: Literal["graded"] | None = None
    settings: tuple[str, ...] = ()
    columns: Callable[[ProtocolOptions], Columns] | None = None
    tasks: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    seldom: Callable[[str, str], Sequence[Request]] = _nothing_else
    check: Callable[[ProtocolOptions], None] = _anything


def nobody(options: ProtocolOptions) -> Seating:
    """A seating: nobody grades."""
    return "nobody"


def itself(options: ProtocolOptions) -> Seating:
    """A seating: the author grades itself."""
    return "self"


def answers(replies: Sequence[Reply]) -> tuple[AnswerReply, ...]:
    """The replies, all of which must be answers."""
    return tuple(reply for reply in replies if isinstance(reply, AnswerReply))


def grades(replies: Sequence[Reply]) -> tuple[GradeReply, ...]:
    """The replies, all of which must be grades."""
    return tuple(reply for reply in replies if isinstance(reply, GradeReply))


def texts(said: Sequence[AnswerReply]) -> list[str]:
    """What was written."""
    return [one.text for one in said]


def ran(programs: Sequence[Program]) -> Generator[Sequence[RunRequest], Sequence[Reply], list[Ran]]:
    """What came of programs: ``came = yield from ran(programs)``, which asks for nothing if there
    are none."""
    replies = (yield [RunRequest(one) for one in programs]) if programs else ()
    return [reply.ran for reply in replies if isinstance(reply, RunReply)]


def rewritten(draft: str, query: str, remark: str, turn: int) -> Request:
    """Asks an author anew: with the draft before its eyes where there is a remark on it."""
    if remark:
        return RevisionRequest(AUTHOR, query, draft, remark, turn)
    return AnswerRequest(AUTHOR, query, draw=turn)


def graded(values: Sequence[float | None]) -> tuple[GradeReply, ...]:
    """Grades in [0, 1] that nobody was asked for; None says nothing."""
    return tuple(GradeReply(None if value is None else certainty(value)) for value in values)


def only_number(options: ProtocolOptions, name: str, least: int, most: int) -> None:
    """Refuse a further option that is no number of a range, and any other, with a ValueError."""
    for key, value in options.further.items():
        if key != name:
            raise ValueError(f"options.{key}: expected none but {name}, got {value!r}")
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"options.{key}: expected {least} to {most}, got {value!r}")


def comparisons(replies: Sequence[Reply]) -> tuple[CompareReply, ...]:
    """The replies, all of which must be comparisons."""
    return tuple(reply for reply in replies if isinstance(reply, CompareReply))
