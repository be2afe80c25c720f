"""Turns of a chat, laid out by a tokenizer's own template, for models trained to converse."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import takewhile

from mgptn.protocols.answers.thoughts import BEGINS, ENDS, without_thoughts
from mgptn.protocols.interfaces.interface import Asked, Ballot, Message, Plain, Prompt, Shown
from mgptn.protocols.interfaces.reading import first_wins, named_option
from mgptn.protocols.interfaces.wordings import CORRECT, Wording
from mgptn.protocols.scale import LEVELS, level_wanted

CHAT_LAYOUT = 2
"""Counts the ways in which chats have been laid out: a run is carried on in its own alone."""

PROBE = "mgptn"
"""A text that no template has of itself."""

BETTER = "The better answer is"
THOUGHT = f"\n{ENDS}\n\n"
"""How a thought without a word ends, where a template has begun one."""

Render = Callable[[Sequence[Message], bool], str]
"""Messages as text; with True, ending where the assistant's next turn begins."""


class ChatInterface:
    """Examples as earlier turns of a chat; questions about an answer as the user's.

    The persona is the system's message; where the template has none, or leaves it out, the head of
    the first user's. What an agent's requests share are the turns of its
    examples, as far as the template writes them alike before every question. A reply that is to be
    one of some options is begun for the model, so that an option is what comes next. What a model
    thought before its answer is not shown to others, nor to itself later.

    Parameters
    ----------
    render
        The tokenizer's template.
    wording
        Of the grading question.
    plain
        Makes a text one that is read as text: the words that a reply begins with.

    Raises
    ------
    ValueError
        If the template refuses a user's message, or leaves out what it says.
    """

    name = "chat"
    stops: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    extra_answer_tokens = 16
    least_answer_tokens = 64
    """What an answer of people's may take, however short the right one is."""
    grade_tokens = 12
    critique_tokens = 128

    def __init__(self, render: Render, wording: Wording = CORRECT, plain: Plain = str) -> None:
        self._render = render
        self._plain = plain
        self.wording = wording
        self.level_options = tuple(f" {option}" for option in self.wording.options)
        if PROBE not in render([_message("user", PROBE)], True):
            raise ValueError(
                "agents.interface: expected a chat template that shows what a message says, got "
                "one that leaves it out; use agents.interface=base"
            )

    def answer_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, then the question, and what is said of its answer's form."""
        form = "" if asked.instruction is None else f"\n\n{asked.instruction}"
        return self._laid_out(asked, f"{asked.query}{_wanted(asked.wanted)}{form}")

    def said(self, answer: str) -> str:
        """The answer as the template writes a reply."""
        return self._begin(_said(answer))

    def grade_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, answers with their grades, then question and answer with the survey's
        question; the reply is begun."""
        shots = [turn for shot in asked.shots for turn in self._graded_apart(shot)]
        question = self._asked_of(asked.query, asked.answer)
        return self._laid_out(asked, question, shots, self.wording.lead)

    def ballot(self, asked: Asked) -> Ballot:
        """Both answers under a letter each, and which of the letters is better."""
        question = (
            f"Question: {asked.query}\n\nAnswer A:\n{_said(asked.answer).strip()}\n\n"
            f"Answer B:\n{_said(asked.rival).strip()}\n\n"
            "Which answer is better? Say A or B, and nothing else."
        )
        prompt = self._laid_out(asked, question, begun=BETTER)
        return Ballot(prompt, (" A", " B"), first_wins, 2)

    def critique_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, then question and answer, and what is wrong."""
        question = "Say in a few words what is wrong with this answer."
        return self._laid_out(asked, f"{_quoted(asked.query, asked.answer)}\n\n{question}")

    def revision_prompt(self, asked: Asked) -> Prompt:
        """Examples as turns, the question with its answer, then the critique."""
        said = f"A reader says of this answer: {_said(asked.critique).strip()}"
        turns = replace(asked, examples=[*asked.examples, (asked.query, asked.answer)])
        return self._laid_out(turns, f"{said}\nAnswer the question again.")

    def read_answer(self, text: str) -> str:
        """The text without the space around it."""
        return text.strip()

    def read_grade(self, text: str) -> int | None:
        """The option that the text begins with."""
        return named_option(without_thoughts(text), self.wording.options)

    def read_critique(self, text: str) -> str:
        """The text without the space around it."""
        return text.strip()

    def _laid_out(
        self, asked: Asked, question: str, before: Sequence[Message] = (), begun: str = ""
    ) -> Prompt:
        """The persona, the examples as turns, and the question as the user's.

        Parameters
        ----------
        before
            Turns between examples and question.
        begun
            What the reply begins with.
        """
        shared: list[Message] = []
        for example in asked.examples:
            shown = Shown(*example)
            shared += [_message("user", shown.query), _message("assistant", _said(shown.answer))]
            if shown.level is not None:
                shared += self._graded(shown.level)
        shared += before
        turns, other, third = (
            self._told_who([*shared, _message("user", text)], asked.persona)
            for text in (question, "a", "b")
        )
        whole = self._render(turns, True) + self._begin(begun)
        alike = takewhile(
            lambda pair: pair[0] == pair[1],
            zip(self._render(other, True), self._render(third, True), strict=False),
        )
        prefix = "".join(character for character, _ in alike)
        if not whole.startswith(prefix):
            prefix = ""
        return Prompt(prefix, whole[len(prefix) :], tuple(turns), begun)

    def _begin(self, begun: str) -> str:
        """What a reply begins with, as the template would have written it."""
        return f"{self._before_reply}{self._plain(begun)}" if begun else ""

    @cached_property
    def _before_reply(self) -> str:
        """What stands between the place where a reply begins and the reply."""
        asked = _message("user", "Who?")
        opened = self._render([asked], True)
        if opened.rstrip().endswith(BEGINS):
            return THOUGHT
        try:
            told = self._render([asked, _message("assistant", PROBE)], False)
        except ValueError:
            return ""
        between = told[len(opened) :].partition(PROBE)[0] if told.startswith(opened) else ""
        return "" if between.strip() else between

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

    def _asked_of(self, query: str, answer: str) -> str:
        """The grading question about an answer."""
        return f"{_quoted(query, answer)}\n\n{self._question}"

    def _graded(self, level: int) -> list[Message]:
        """The grading question as the user's turn, and its answer."""
        return [_message("user", self._question), self._told(level)]

    def _graded_apart(self, shot: Shown) -> list[Message]:
        """The grading question about an answer by somebody else, and what it deserves."""
        asked = _message("user", self._asked_of(shot.query, shot.answer))
        return [asked] if shot.level is None else [asked, self._told(shot.level)]

    @property
    def _question(self) -> str:
        """The grading question, with what can be said where it does not say so itself."""
        question, options = self.wording.question, self.wording.options
        if all(option in question for option in options):
            return question
        return f"{question} Say one of: {', '.join(options)}; and nothing else."

    def _told(self, level: int) -> Message:
        said = f"{self.wording.lead} {self.wording.option_at(level)}"
        return _message("assistant", said.strip())


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _quoted(query: str, answer: str) -> str:
    return f"Question: {query}\n\nSomebody's answer:\n{_said(answer).strip()}"


def _said(text: str) -> str:
    """What others are shown of an answer: it was stripped of the space around it as it was read."""
    said = without_thoughts(text)
    return text if said == text else said.strip()


def _wanted(level: str | None) -> str:
    """The sentence that asks for an answer of a level; nothing for none."""
    if level is None:
        return ""
    return f"\n\nGive an answer that deserves to be called right {LEVELS[level_wanted(level)]}."
