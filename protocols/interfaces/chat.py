"""Turns of a chat, laid out by a tokenizer's own template, for models trained to converse."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import takewhile

from mgptn.protocols.interfaces.interface import Asked, Ballot, Prompt, Shown
from mgptn.protocols.interfaces.reading import first_wins, named_option
from mgptn.protocols.interfaces.wordings import WORDS, Wording
from mgptn.protocols.scale import LEVELS, level_wanted

PROBE = "mgptn"
"""A text that no template has of itself."""

Message = dict[str, str]
Render = Callable[[Sequence[Message], bool], str]
"""Messages as text; with True, ending where the assistant's next turn begins."""


class ChatInterface:
    """Examples as earlier turns of a chat; questions about an answer as the user's.

    The persona is the system's message; where the template has none, or leaves it out, the head of
    the first user's. What an agent's requests share are the turns of its
    examples, as far as the template writes them alike before every question.

    Parameters
    ----------
    render
        The tokenizer's template.
    wording
        Of the grading question.

    Raises
    ------
    ValueError
        If the template refuses a user's message, or leaves out what it says.
    """

    name = "chat"
    stops: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    extra_answer_tokens = 16
    grade_tokens = 12
    critique_tokens = 128

    def __init__(self, render: Render, wording: Wording = WORDS) -> None:
        self._render = render
        self.wording = wording
        self.level_options = wording.options
        if PROBE not in render([_message("user", PROBE)], True):
            raise ValueError(
                "agents.interface: expected a chat template that shows what a message says, got "
                "one that leaves it out; use agents.interface=base"
            )

    def answer_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, then the question."""
        return self._laid_out(asked, f"{asked.query}{_wanted(asked.wanted)}")

    def grade_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, then question and answer with the survey's question."""
        question = f"{self.wording.question} {_told(self.wording)}"
        return self._laid_out(asked, f"{_quoted(asked)}\n\n{question}")

    def ballot(self, asked: Asked) -> Ballot:
        """Both answers under a letter each, and which of the letters is better."""
        question = (
            f"Question: {asked.query}\n\nAnswer A:\n{asked.answer.strip()}\n\n"
            f"Answer B:\n{asked.rival.strip()}\n\n"
            "Which answer is better? Say A or B, and nothing else."
        )
        return Ballot(self._laid_out(asked, question), ("A", "B"), first_wins, 2)

    def critique_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, then question and answer, and what is wrong."""
        question = "Say in a few words what is wrong with this answer."
        return self._laid_out(asked, f"{_quoted(asked)}\n\n{question}")

    def revision_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, the question with its answer, then the critique."""
        said = f"A reader says of this answer: {asked.critique.strip()}"
        turns = replace(asked, examples=[*asked.examples, (asked.query, asked.answer)])
        return self._laid_out(turns, f"{said}\nAnswer the question again.")

    def read_answer(self, text: str) -> str:
        """The text without the space around it."""
        return text.strip()

    def read_grade(self, text: str) -> int | None:
        """The option that the text begins with."""
        return named_option(text, self.wording.options)

    def read_critique(self, text: str) -> str:
        """The text without the space around it."""
        return text.strip()

    def _laid_out(self, asked: Asked, question: str) -> Prompt:
        """The persona, the examples as turns, and the question as the user's."""
        shared: list[Message] = []
        for example in asked.examples:
            shown = Shown(*example)
            shared += [_message("user", shown.query), _message("assistant", shown.answer)]
            if shown.level is not None:
                shared += self._graded(shown.level)
        whole, other, third = (
            self._render(self._told_who([*shared, _message("user", text)], asked.persona), True)
            for text in (question, "a", "b")
        )
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(other, third, strict=False))
        prefix = "".join(character for character, _ in alike)
        if not whole.startswith(prefix):
            prefix = ""
        return Prompt(prefix, whole[len(prefix) :])

    def _told_who(self, messages: list[Message], persona: str | None) -> list[Message]:
        """Messages with a persona before them, where the template lets it stand."""
        if persona is None:
            return messages
        if self.has_system:
            return [_message("system", persona), *messages]
        first, *others = messages
        return [_message("user", f"{persona}\n\n{first['content']}"), *others]

    @cached_property
    def has_system(self) -> bool:
        """Does the template lay out a system's message?"""
        asked = _message("user", "Who?")
        try:
            return PROBE in self._render([_message("system", PROBE), asked], True)
        except ValueError:
            return False

    def _graded(self, level: int) -> list[Message]:
        """The grading question as the user's turn, and its answer."""
        told = self.wording.option_at(level)
        return [_message("user", self.wording.question), _message("assistant", told)]


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _quoted(asked: Asked) -> str:
    return f"Question: {asked.query}\n\nSomebody's answer:\n{asked.answer.strip()}"


def _told(wording: Wording) -> str:
    return f"Say one of: {', '.join(wording.options)}; and nothing else."


def _wanted(level: str | None) -> str:
    """The sentence that asks for an answer of a level; nothing for none."""
    if level is None:
        return ""
    return f"\n\nGive an answer that deserves to be called right {LEVELS[level_wanted(level)]}."
