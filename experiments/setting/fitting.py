"""Does what a run asks fit its model? Looked at before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.endpoints.textual import TextOnly
from mgptn.agents.engine.memory import Lengths
from mgptn.agents.requests import AnyRequest, Generate, Score
from mgptn.agents.verdicts.verifier import Verifier
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.seats.asking import Cast, Script, to_host
from mgptn.population.records.agents import Agent
from mgptn.population.records.matches import Match
from mgptn.protocols.interfaces.interface import Asked, Shown
from mgptn.protocols.interfaces.shown import ShownInterface
from mgptn.protocols.messages import (
    AnswerReply,
    CompareReply,
    CompareRequest,
    GradeReply,
    GradeRequest,
    PickReply,
    PickRequest,
    Reply,
    Request,
    RunReply,
    RunRequest,
    Seat,
)
from mgptn.protocols.protocol import Protocol
from mgptn.protocols.scale import LEVELS, certainty
from mgptn.protocols.tasks.task import Problem
from mgptn.protocols.tasks.trials import Ran

TOP = len(LEVELS) - 1


def check_answers_fit(
    problems: Iterable[Problem], script: Script, model: str, verifier: Verifier
) -> None:
    """Every question must reach the model whole, and every right answer be one it could give.

    Parameters
    ----------
    verifier
        Finds the verdicts on right answers as they are read back.

    Raises
    ------
    ConfigError
        Naming the question, and what becomes of it or of its answer.
    """
    room = script.task.max_answer_characters
    read: list[tuple[Problem, str]] = []
    for problem in problems:
        if len(problem.reference) > room:
            raise ConfigError(
                f"task.max_answer_characters: expected at least {len(problem.reference)}, the "
                f"length of the right answer to {_short(problem.query)}, got {room}"
            )
        asked, written = _as_read(problem.query, script)
        if _letters(written) != _letters(asked):
            raise ConfigError(
                f"agents.model: expected a model whose tokens can spell the questions of "
                f"{script.task.name}, got {model!r}, which reads {_short(problem.query)} as "
                f"{_short(written)}"
            )
        read.append((problem, _read_back(problem, script, model)))
    verdicts = verifier(script.task, [(problem.query, text) for problem, text in read])
    for (problem, text), verdict in zip(read, verdicts, strict=True):
        if not verdict:
            told = ", of which nothing is known" if verdict is None else ""
            raise ConfigError(
                f"agents.interface: expected a layout and a model that a right answer passes "
                f"through, got {script.interface.name} and {model!r}, with which "
                f"{_short(problem.reference)}, the answer to {_short(problem.query)}, is read as "
                f"{_short(text)}{told}"
            )


def check_places_fit(checkpoint: Checkpoint, size: int) -> None:
    """The longest columns that a task grows to, and their answers, must have places.

    Raises
    ------
    ConfigError
        Saying how large it may grow.
    """
    # An answer may be a character longer than its columns, and has an end.
    most = checkpoint.places - 3
    if checkpoint.restarts and size > most:
        raise ConfigError(
            f"task.growth.largest: expected at most {most}, for which {checkpoint.name!r} has "
            f"places, got {size}"
        )


def check_context_fits(
    problems: Sequence[Problem],
    script: Script,
    founder: Agent,
    protocol: Protocol,
    config: RunConfig,
    checkpoint: Checkpoint,
) -> Lengths:
    """A context full of the longest examples, and whatever the protocol asks, must fit.

    The protocol is played once on the longest question, everybody answering at the maximum length.

    Parameters
    ----------
    founder
        An agent whose context is empty.
    checkpoint
        Of the model, which can read so many tokens.

    Returns
    -------
    Lengths
        Of the longest prefix, question about an answer, and answer.

    Raises
    ------
    ConfigError
        Saying how many tokens may be needed, and how many examples would fit.
    """
    encoder, capacity = script.encoder, config.agents.context_capacity
    room = checkpoint.context_tokens
    empty = len(encoder.prefix(script.interface.answer_prompt(Asked("")).prefix))
    level = None if (protocol.entry or config.agents.context_entry) == "plain" else TOP
    example = longest_given = 0
    for problem in problems:
        item = Shown(problem.query, "", level)
        shown = script.interface.answer_prompt(Asked("", examples=[item])).prefix
        example = max(example, len(encoder.prefix(shown)) - empty)
    for held in config.agents.examples:
        given = Shown(held.question, held.answer, held.level)
        prefix = script.interface.answer_prompt(Asked("", examples=[given])).prefix
        longest_given = max(longest_given, len(encoder.prefix(prefix)) - empty)
    longest = max(problems, key=lambda problem: len(encoder.suffix(encoder.plain(problem.query))))
    alone = _longest_request(longest, script, founder, protocol, config)
    each = max(example + script.max_tokens, longest_given)
    context = capacity * each
    needed = alone + context
    if needed <= room:
        return Lengths(empty + context, alone - empty, script.max_tokens)
    fitting = (room - alone) // each
    advice = (
        f"at most {fitting} would fit" if fitting >= 0 else "not even a question alone would fit"
    )
    raise ConfigError(
        f"agents.context_capacity: expected examples that fit into {room} tokens of "
        f"{founder.genome.model!r}{checkpoint.limited_by}, got {capacity} examples, "
        f"which with a question can need {needed}; {advice}"
    )


def _longest_request(
    problem: Problem, script: Script, founder: Agent, protocol: Protocol, config: RunConfig
) -> int:
    """Tokens of the longest thing that a protocol asks an agent without a context, replies too."""
    return max(map(_tokens, asked_in_play(problem, script, founder, protocol, config)), default=0)


def asked_in_play(
    problem: Problem, script: Script, founder: Agent, protocol: Protocol, config: RunConfig
) -> Iterator[AnyRequest]:
    """All that a protocol asks agents without a context, who answer at the maximum length."""
    seats: dict[Seat, Agent] = defaultdict(lambda: founder)
    match = Match(founder.id, 0, ())
    cast = Cast(match, problem, seats, 0)
    written = problem.reference or "0"
    while _length(written, script) < script.max_tokens:
        written += problem.reference or "0"
    conversation = protocol.converse(problem.query, config.protocol.as_options())
    replies = None
    while True:
        try:
            requests = next(conversation) if replies is None else conversation.send(replies)
        except StopIteration:
            break
        for request in requests:
            if not isinstance(request, PickRequest | RunRequest):
                yield to_host(request, cast, script)
        replies = [_dummy(request, written) for request in requests]
    for further in protocol.seldom(problem.query, written):
        yield to_host(further, cast, script)


def _length(text: str, script: Script) -> int:
    """In tokens; in characters where nobody here knows those."""
    encoder = script.encoder
    return len(text) if isinstance(encoder, TextOnly) else len(encoder.suffix(encoder.plain(text)))


def _tokens(request: AnyRequest) -> int:
    assert isinstance(request, Generate | Score)
    asked = len(request.prefix) + len(request.suffix)
    if isinstance(request, Generate):
        return asked + request.max_tokens
    return asked + max(map(len, request.options))


def _dummy(request: Request | RunRequest, written: str) -> Reply:
    """A reply of the right kind."""
    if isinstance(request, GradeRequest):
        return GradeReply(certainty(0.5))
    if isinstance(request, CompareRequest):
        return CompareReply(0.5)
    if isinstance(request, PickRequest):
        return PickReply(0)
    if isinstance(request, RunRequest):
        return RunReply(Ran("error"))
    return AnswerReply(written, True, len(written), 0.0)


def _read_back(problem: Problem, script: Script, model: str) -> str:
    """The right answer, written in the model's tokens and read back."""
    encoder, interface = script.encoder, script.interface
    tokens = encoder.suffix(encoder.plain(problem.reference))
    if len(tokens) > script.max_tokens:
        raise ConfigError(
            f"task.max_answer_characters: expected at least {len(tokens)}, the tokens of the right "
            f"answer to {_short(problem.query)} in {model!r}, got "
            f"{script.task.max_answer_characters}"
        )
    return interface.read_answer(encoder.decode(tokens))


def _as_read(text: str, script: Script) -> tuple[str, str]:
    """A question as its layout shows it, and the same through the model's tokens and back."""
    encoder, layout = script.encoder, script.interface
    if isinstance(layout, ShownInterface):
        shown = layout.shown(text)
        return shown, encoder.written(encoder.suffix(shown))
    return text, encoder.decode(encoder.suffix(encoder.plain(text)))


def _letters(text: str) -> str:
    """What of a text a tokenizer must keep: all but its spaces and its Unicode form."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
