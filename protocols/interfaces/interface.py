"""What an interface is: the layout of examples, queries and grading questions as a model's text."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Pair = tuple[str, str]
"""A query and an answer to it, shown as an example."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Text before a reply: a prefix that an agent's requests share, and what is this one's own.

    The two are tokenised apart, so that the prefix's tokens are the same in every request.
    """

    prefix: str
    suffix: str


class Interface(Protocol):
    """How to ask a given kind of model for an answer and for a grade.

    Attributes
    ----------
    name
        As a configuration names it.
    stops
        Texts that end an answer; each must be a single token.
    endings
        Texts that end an answer wherever they stand in it, by themselves or inside a token: in many
        vocabularies a newline is also a part of other tokens.
    extra_answer_tokens
        Tokens that an answer may need beyond its characters: what the layout puts around it, and
        the stop.
    level_options
        The five survey levels as continuations of a grading prompt, worst first.
    """

    name: str
    stops: tuple[str, ...]
    endings: tuple[str, ...]
    extra_answer_tokens: int
    level_options: tuple[str, ...]

    def answer_prompt(self, examples: Sequence[Pair], query: str) -> Prompt:
        """Text after which the model writes its answer."""
        ...

    def grade_prompt(self, examples: Sequence[Pair], query: str, answer: str) -> Prompt:
        """Text after which the model's next words are one of `level_options`."""
        ...

    def read_answer(self, text: str) -> str:
        """The answer in what a model wrote, stops removed: what is before the first ending."""
        ...
