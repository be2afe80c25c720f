"""Few-shot text for any base language model, with grades told in words."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from mgptn.protocols.interfaces.interface import Asked, Ballot, Pair, Plain, Prompt, Shown
from mgptn.protocols.interfaces.reading import first_wins, named_option
from mgptn.protocols.interfaces.wordings import WORDS, Wording
from mgptn.protocols.scale import LEVELS, level_wanted

QUESTION, ANSWER = "Question:", "Answer:"
WANTED = "The answer deserves to be called right"
CRITIQUE, REVISED = "What is wrong with this answer, in a line:", "A better answer:"
WHICH, BETTER = "Which of the answers A and B is better?", "The better one is"
LABELS = (QUESTION, ANSWER, WANTED, CRITIQUE, REVISED, WHICH, BETTER)
"""What an item is made of besides questions, answers and the wording's own; no answer is shown
with one of all these in it."""


class BaseInterface:
    """Questions and answers, an empty line between one pair and the next.

    An answer ends with its line, or, where answers have several, at the first empty line.
    Questions are shown as they are, on as many lines as they have: they are the task's, and
    nothing that a model writes enters them. The order is shared → answer → persona → question, so
    that what can be shared stands first.

    Parameters
    ----------
    multiline
        Do the task's answers have several lines?
    wording
        Of the grading question.
    plain
        Makes a text one that the model's tokenizer reads as text: no control tokens stand here.
    """

    name = "base"
    stops: tuple[str, ...] = ()
    extra_answer_tokens = 4
    grade_tokens = 12
    critique_tokens = 48
    apart = True

    def __init__(
        self, multiline: bool = False, wording: Wording = WORDS, plain: Plain = str
    ) -> None:
        self._plain = plain
        self.multiline = multiline
        self.wording = wording
        self.endings: tuple[str, ...] = ("\n\n",) if multiline else ("\n",)
        self.level_options = tuple(f" {option}" for option in self.wording.options)

    def answer_prompt(self, asked: Asked) -> Prompt:
        """Examples, who the writer is and what is wanted where something is, the question."""
        about = (
            f"{_line(asked.persona)}{_line(asked.instruction)}{_wanted(asked.wanted)}"
            f"{QUESTION} {asked.query}"
        )
        return self._prompt(self._shown(asked.examples), f"{about}\n{ANSWER}")

    def said(self, answer: str) -> str:
        """A space, and the answer."""
        return self._plain(f" {self._in_place(answer)}")

    def grade_prompt(self, asked: Asked) -> Prompt:
        """Examples, answers with their grades, the question, the answer, who the grader is, and
        the survey's question."""
        return self._prompt(
            self._shown([*asked.examples, *asked.shots]),
            f"{self._answered(asked.query, asked.answer)}{_line(asked.persona)}"
            f"{self.wording.question}\n{self.wording.lead}",
        )

    def ballot(self, asked: Asked) -> Ballot:
        """Both answers under a letter each, and which of the letters is better."""
        first, second = self._in_place(asked.answer), self._in_place(asked.rival)
        prompt = self._prompt(
            self._shown(asked.examples),
            f"{QUESTION} {asked.query}\nA: {first}\nB: {second}\n"
            f"{_line(asked.persona)}{WHICH}\n{BETTER}",
        )
        return Ballot(prompt, (" A", " B"), first_wins, 2)

    def critique_prompt(self, asked: Asked) -> Prompt:
        """Examples, the question, the answer, and what is wrong with it."""
        about = f"{self._answered(asked.query, asked.answer)}{_line(asked.persona)}"
        return self._prompt(self._shown(asked.examples), f"{about}{CRITIQUE}")

    def revision_prompt(self, asked: Asked) -> Prompt:
        """Examples, the question, the answer, the critique, and a better answer."""
        return self._prompt(
            self._shown(asked.examples),
            f"{self._answered(asked.query, asked.answer)}{CRITIQUE} "
            f"{self._in_place(asked.critique)}\n{_line(asked.persona)}{REVISED}",
        )

    def level_after(self, level: int) -> tuple[str, str]:
        """The answer's ending and the survey's question; and the option that tells the level."""
        asked = f"{self.endings[0]}{self.wording.question}\n{self.wording.lead}"
        return asked, f" {self.wording.option_at(level)}"

    def read_answer(self, text: str) -> str:
        """The text up to its ending, without the space around it."""
        return text.split(self.endings[0], 1)[0].strip()

    def read_grade(self, text: str) -> int | None:
        """The option that the text begins with."""
        return named_option(text, self.wording.options)

    def read_critique(self, text: str) -> str:
        """The text up to its ending."""
        return self.read_answer(text)

    def _prompt(self, prefix: str, suffix: str) -> Prompt:
        return Prompt(self._plain(prefix), self._plain(suffix))

    def _shown(self, examples: Sequence[Pair]) -> str:
        return "".join(self._item(Shown(*example)) for example in examples)

    def _item(self, shown: Shown) -> str:
        graded = ""
        if shown.level is not None:
            told = self.wording.option_at(shown.level)
            graded = f"{self.wording.question}\n{self.wording.lead} {told}\n"
        return f"{self._answered(shown.query, shown.answer)}{graded}\n"

    def _answered(self, query: str, answer: str) -> str:
        return f"{QUESTION} {query}\n{ANSWER} {self._in_place(answer)}\n"

    def _in_place(self, answer: str) -> str:
        """An answer that cannot forge a question or a grade, whatever its author wrote."""
        return self._without_labels(answer) if self.multiline else " ".join(answer.split())

    def _without_labels(self, answer: str) -> str:
        """An answer on its own lines: no empty one, and none with a label of the layout's."""
        labels = (*LABELS, self.wording.question, self.wording.lead)
        lines = [line for line in answer.strip().splitlines() if line]
        return "\n".join(line for line in lines if not any(label in line for label in labels))


def _line(text: str | None) -> str:
    """A text on a line of its own; nothing for none."""
    return "" if text is None else f"{' '.join(text.split())}\n"


def _wanted(level: str | None) -> str:
    """The line that asks for an answer of a level; nothing for none."""
    if level is None:
        return ""
    return f"{WANTED} {LEVELS[level_wanted(level)]}.\n"
