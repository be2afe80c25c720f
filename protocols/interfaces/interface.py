"""What an interface is: the layout of examples, queries and grading questions as a model's text."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from mgptn.protocols.interfaces.wordings import Wording


class Shown(NamedTuple):
    """A query and an answer to it, shown as an example.

    `level` is the survey level shown beside it, from 0; None to show none.
    """

    query: str
    answer: str
    level: int | None = None


Pair = tuple[str, str] | Shown
"""An example without, or with, a level."""

Plain = Callable[[str], str]
"""Makes a text one that a tokenizer reads as text, with no control tokens in it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model is asked, before it is laid out as text.

    Attributes
    ----------
    query
        The problem's.
    answer
        The one that is graded, criticised, revised, or compared with its rival.
    rival
        Of a ballot: the answer that is shown second.
    critique
        Of a revision: what was said of the answer.
    examples
        Shown first.
    persona
        Who the writer is to be; None for nobody in particular.
    wanted
        One of `protocols.scale.LEVELS`, asked for before an answer is given; None to ask for none.
    instruction
        What is said of an answer's form; None to say nothing.
    shots
        Answers to other questions with the levels that they deserve, shown before an answer is
        graded.
    """

    query: str
    answer: str = ""
    rival: str = ""
    critique: str = ""
    examples: Sequence[Pair] = ()
    persona: str | None = None
    wanted: str | None = None
    instruction: str | None = None
    shots: Sequence[Shown] = ()


Message = dict[str, str]
"""A turn of a chat: its `role` and its `content`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Text before a reply: a prefix that an agent's requests share, and what is this one's own.

    The two are tokenised apart, so that the prefix's tokens are the same in every request.

    Attributes
    ----------
    prefix, suffix
        The text, in two parts.
    turns
        Of a chat, the messages that it lays out.
    begun
        Of a chat, what the reply has been begun with; the suffix ends in it.
    """

    prefix: str
    suffix: str
    turns: tuple[Message, ...] = field(default=(), compare=False)
    begun: str = ""


@dataclass(frozen=True, slots=True)
class Ballot:
    """A comparison of two answers: what may follow the prompt, and what the model's say means.

    `read` maps the options' log-probabilities, in their order, to the probability that the answer
    shown first is the better one; None where they are no numbers. The first `next_words` options
    are what is asked for right after the prompt, and exclude each other.
    """

    prompt: Prompt
    options: tuple[str, ...]
    read: Callable[[Sequence[float]], float | None]
    next_words: int


class Interface(Protocol):
    """How to ask a given kind of model for answers, grades, comparisons and critiques.

    Attributes
    ----------
    name
        As a configuration names it.
    wording
        Of the grading question.
    stops
        Texts that end an answer; each must be a single token.
    endings
        Texts that end an answer wherever they stand in it, by themselves or inside a token: in many
        vocabularies a newline is also a part of other tokens.
    extra_answer_tokens
        Tokens that an answer may need beyond its characters: what the layout puts around it, and
        the stop.
    level_options
        The wording's options as continuations of a grading prompt.
    grade_tokens, critique_tokens
        Tokens that a grade told in words, and a critique, may have.
    """

    name: str
    wording: Wording
    stops: tuple[str, ...]
    endings: tuple[str, ...]
    extra_answer_tokens: int
    level_options: tuple[str, ...]
    grade_tokens: int
    critique_tokens: int

    def answer_prompt(self, asked: Asked) -> Prompt:
        """Text after which the model writes its answer.

        Raises
        ------
        ValueError
            If there is no such persona or level.
        """
        ...

    def said(self, answer: str) -> str:
        """An answer as what follows an answering prompt."""
        ...

    def grade_prompt(self, asked: Asked) -> Prompt:
        """Text after which the model's next words are one of `level_options`."""
        ...

    def ballot(self, asked: Asked) -> Ballot:
        """How to ask which of the answer and its rival, shown in this order, is better."""
        ...

    def critique_prompt(self, asked: Asked) -> Prompt:
        """Text after which the model says what is to be said of an answer."""
        ...

    def revision_prompt(self, asked: Asked) -> Prompt:
        """Text after which the model answers again, given its draft and a critique of it."""
        ...

    def read_answer(self, text: str) -> str:
        """The answer in what a model wrote, stops removed: what is before the first ending."""
        ...

    def read_grade(self, text: str) -> int | None:
        """Which option a model named in what it wrote, special tokens included; None for none."""
        ...

    def read_critique(self, text: str) -> str:
        """The critique in what a model wrote, special tokens included."""
        ...


def lays_apart(interface: Interface) -> bool:
    """Does each part of an answering or grading prompt follow from things of its own?

    The prefix from examples, shots and persona alone, the suffix from everything but examples and
    shots: then each is laid out once for all prompts that have it. A class of which that is so says
    ``apart = True``; one that is made of it has to say so itself.
    """
    return bool(vars(type(interface)).get("apart", False))


@runtime_checkable
class TellsLevels(Protocol):
    """What an interface has beside that can write an answer's level right after it."""

    def level_after(self, level: int) -> tuple[str, str]:
        """What stands between an answer and its level, the answer's end first; and the level.

        Parameters
        ----------
        level
            Of the survey, from 0.
        """
        ...
