"""Does what a run asks fit its model? Looked at before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from agents.engine.memory import Lengths
from experiments.casting import Script
from experiments.config import ConfigError
from protocols.tasks.task import Problem


def check_answers_fit(problems: Iterable[Problem], script: Script, model: str) -> None:
    """Every question must reach the model whole, and every right answer be one it could give.

    Raises
    ------
    ConfigError
        Naming the question, and what becomes of it or of its answer.
    """
    room = script.task.max_answer_characters
    for problem in problems:
        if len(problem.reference) > room:
            raise ConfigError(
                f"task.max_answer_characters: expected at least {len(problem.reference)}, the "
                f"length of the right answer to {_short(problem.query)}, got {room}"
            )
        written = script.encoder.decode(script.encoder.suffix(problem.query))
        if _letters(written) != _letters(problem.query):
            raise ConfigError(
                f"agents.model: expected a model whose tokens can spell the questions of "
                f"{script.task.name}, got {model!r}, which reads {_short(problem.query)} as "
                f"{_short(written)}"
            )
        _check_answer(problem, script, model)


def check_context_fits(
    problems: Sequence[Problem], script: Script, model: str, capacity: int, room: int
) -> Lengths:
    """A context full of the longest examples, and a question about an answer, must fit.

    Parameters
    ----------
    capacity
        Examples that an agent holds.
    room
        Tokens that the model can read.

    Returns
    -------
    Lengths
        Of the longest prefix, question about an answer, and answer.

    Raises
    ------
    ConfigError
        Saying how many tokens may be needed, and how many examples would fit.
    """
    encoder, interface = script.encoder, script.interface
    empty = len(encoder.prefix(interface.answer_prompt([], "").prefix))
    example = asked = 0
    for problem in problems:
        shown = interface.answer_prompt([(problem.query, "")], "").prefix
        example = max(example, len(encoder.prefix(shown)) - empty)
        graded = interface.grade_prompt([], problem.query, "").suffix
        asked = max(asked, len(encoder.suffix(graded)))
    option = max(len(encoder.suffix(option)) for option in interface.level_options)
    alone = empty + asked + script.max_tokens + option
    context = capacity * (example + script.max_tokens)
    needed = alone + context
    if needed <= room:
        return Lengths(empty + context, asked + script.max_tokens + option, script.max_tokens)
    fitting = (room - alone) // (example + script.max_tokens)
    advice = (
        f"at most {fitting} would fit" if fitting >= 0 else "not even a question alone would fit"
    )
    raise ConfigError(
        f"agents.context_capacity: expected examples that fit into {room} tokens of {model!r}, "
        f"got {capacity} examples, which with a question can need {needed}; {advice}"
    )


def _check_answer(problem: Problem, script: Script, model: str) -> None:
    """The right answer, written in the model's tokens and read back, must still be right."""
    encoder, interface = script.encoder, script.interface
    tokens = encoder.suffix(problem.reference)
    if len(tokens) > script.max_tokens:
        raise ConfigError(
            f"task.max_answer_characters: expected at least {len(tokens)}, the tokens of the right "
            f"answer to {_short(problem.query)} in {model!r}, got "
            f"{script.task.max_answer_characters}"
        )
    read = interface.read_answer(encoder.decode(tokens))
    if not script.task.verify(problem.query, read):
        raise ConfigError(
            f"agents.interface: expected a layout and a model that a right answer passes through, "
            f"got {interface.name} and {model!r}, with which {_short(problem.reference)}, the "
            f"answer to {_short(problem.query)}, is read as {_short(read)}"
        )


def _letters(text: str) -> str:
    """What of a text a tokenizer must keep: all but its spaces and its Unicode form."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
