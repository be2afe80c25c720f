"""Turns of a chat, laid out by a tokenizer's own template, for models trained to converse."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

from mgptn.protocols.interfaces.interface import Ballot, Pair, Prompt, Shown
from mgptn.protocols.interfaces.reading import first_wins, named_option
from mgptn.protocols.interfaces.wordings import WORDS, Wording
from mgptn.protocols.scale import LEVELS, level_wanted

Message = dict[str, str]
Render = Callable[[Sequence[Message], bool], str]
"""Messages as text; with True, ending where the assistant's next turn begins."""


class ChatInterface:
    """Examples as earlier turns of a chat; questions about an answer as the user's.

    The persona is the system's message. What an agent's requests share are the turns of its
    examples, as far as the template writes them alike before every question.

    Parameters
    ----------
    render
        The tokenizer's template.
    wording
        Of the grading question.
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

    def answer_prompt(
        self,
        examples: Sequence[Pair],
        query: str,
        *,
        persona: str | None = None,
        wanted: str | None = None,
    ) -> Prompt:
        """Examples as turns, then the question."""
        return self._asked(examples, f"{query}{_wanted(wanted)}", persona)

    def grade_prompt(
        self, examples: Sequence[Pair], query: str, answer: str, *, persona: str | None = None
    ) -> Prompt:
        """Examples as turns, then question and answer with the survey's question."""
        asked = f"{_quoted(query, answer)}\n\n{self.wording.question}"
        return self._asked(examples, f"{asked} {_told(self.wording)}", persona)

    def ballot(
        self,
        examples: Sequence[Pair],
        query: str,
        first: str,
        second: str,
        *,
        persona: str | None = None,
    ) -> Ballot:
        """Both answers under a letter each, and which of the letters is better."""
        asked = (
            f"Question: {query}\n\nAnswer A:\n{first.strip()}\n\nAnswer B:\n{second.strip()}\n\n"
            "Which answer is better? Say A or B, and nothing else."
        )
        return Ballot(self._asked(examples, asked, persona), ("A", "B"), first_wins, 2)

    def critique_prompt(
        self, examples: Sequence[Pair], query: str, answer: str, *, persona: str | None = None
    ) -> Prompt:
        """Examples as turns, then question and answer, and what is wrong."""
        asked = f"{_quoted(query, answer)}\n\nSay in a few words what is wrong with this answer."
        return self._asked(examples, asked, persona)

    def revision_prompt(
        self,
        examples: Sequence[Pair],
        query: str,
        draft: str,
        critique: str,
        *,
        persona: str | None = None,
    ) -> Prompt:
        """Examples as turns, the question answered by the draft, then the critique."""
        turns = [*examples, (query, draft)]
        asked = f"A reader says of this answer: {critique.strip()}\nAnswer the question again."
        return self._asked(turns, asked, persona)

    def read_answer(self, text: str) -> str:
        """The text without the space around it."""
        return text.strip()

    def read_grade(self, text: str) -> int | None:
        """The option that the text begins with."""
        return named_option(text, self.wording.options)

    def read_critique(self, text: str) -> str:
        """The text without the space around it."""
        return text.strip()

    def _asked(self, examples: Sequence[Pair], question: str, persona: str | None) -> Prompt:
        shared: list[Message] = [] if persona is None else [_message("system", persona)]
        for example in examples:
            shown = Shown(*example)
            shared += [_message("user", shown.query), _message("assistant", shown.answer)]
            if shown.level is not None:
                shared += self._graded(shown.level)
        whole, other, third = (
            self._render([*shared, _message("user", text)], True) for text in (question, "a", "b")
        )
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(other, third, strict=False))
        prefix = "".join(character for character, _ in alike)
        if not whole.startswith(prefix):
            prefix = ""
        return Prompt(prefix, whole[len(prefix) :])

    def _graded(self, level: int) -> list[Message]:
        """The grading question as the user's turn, and its answer."""
        told = self.wording.option_at(level)
        return [_message("user", self.wording.question), _message("assistant", told)]


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _quoted(query: str, answer: str) -> str:
    return f"Question: {query}\n\nSomebody's answer:\n{answer.strip()}"


def _told(wording: Wording) -> str:
    return f"Say one of: {', '.join(wording.options)}; and nothing else."


def _wanted(level: str | None) -> str:
    """The sentence that asks for an answer of a level; nothing for none."""
    if level is None:
        return ""
    return f"\n\nGive an answer that deserves to be called right {LEVELS[level_wanted(level)]}."
