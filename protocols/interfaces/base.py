"""Few-shot text for any base language model, with the survey's levels as words."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from protocols.interfaces.interface import Pair, Prompt
from protocols.scale import LEVELS

GRADING_QUESTION = (
    "How much does this answer deserve to be called right: " + ", ".join(LEVELS) + "?"
)
QUESTION, ANSWER, DESERVES = "Question:", "Answer:", "It deserves that"
LABELS = (QUESTION, ANSWER, GRADING_QUESTION, DESERVES)
"""What an item is made of besides questions and answers; no answer is shown with one in it."""


class BaseInterface:
    """Questions and answers, an empty line between one pair and the next.

    An answer ends with its line, or, where answers have several, at the first empty line.
    Questions are shown as they are, on as many lines as they have: they are the task's, and
    nothing that a model writes enters them.

    Parameters
    ----------
    multiline
        Do the task's answers have several lines?
    """

    name = "base"
    stops: tuple[str, ...] = ()
    extra_answer_tokens = 4
    level_options: tuple[str, ...] = tuple(f" {level}" for level in LEVELS)

    def __init__(self, multiline: bool = False) -> None:
        self.multiline = multiline
        self.endings: tuple[str, ...] = ("\n\n",) if multiline else ("\n",)

    def answer_prompt(self, examples: Sequence[Pair], query: str) -> Prompt:
        """Examples, then the question."""
        return Prompt(self._shown(examples), f"{QUESTION} {query}\n{ANSWER}")

    def grade_prompt(self, examples: Sequence[Pair], query: str, answer: str) -> Prompt:
        """Examples, the question, the answer, and the survey's question."""
        return Prompt(
            self._shown(examples),
            f"{QUESTION} {query}\n{ANSWER} {self._in_place(answer)}\n"
            f"{GRADING_QUESTION}\n{DESERVES}",
        )

    def read_answer(self, text: str) -> str:
        """The text up to its ending, without the space around it."""
        return text.split(self.endings[0], 1)[0].strip()

    def _shown(self, examples: Sequence[Pair]) -> str:
        return "".join(
            f"{QUESTION} {query}\n{ANSWER} {self._in_place(answer)}\n\n"
            for query, answer in examples
        )

    def _in_place(self, answer: str) -> str:
        """An answer that cannot forge a question or a grade, whatever its author wrote."""
        return _without_labels(answer) if self.multiline else " ".join(answer.split())


def _without_labels(answer: str) -> str:
    """An answer on its own lines: no empty one, and none with a label of the layout's."""
    lines = [line for line in answer.strip().splitlines() if line]
    return "\n".join(line for line in lines if not any(label in line for label in LABELS))
