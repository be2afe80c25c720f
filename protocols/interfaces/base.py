"""Few-shot text for any base language model, with the survey's levels as words."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from protocols.interfaces.interface import Pair, Prompt
from protocols.scale import LEVELS

GRADING_QUESTION = (
    "How much does this answer deserve to be called right: " + ", ".join(LEVELS) + "?"
)


class BaseInterface:
    """Questions and answers, one a line; a newline ends an answer."""

    name = "base"
    stops: tuple[str, ...] = ("\n",)
    extra_answer_tokens = 4
    level_options: tuple[str, ...] = tuple(f" {level}" for level in LEVELS)

    def answer_prompt(self, examples: Sequence[Pair], query: str) -> Prompt:
        """Examples, then the question."""
        return Prompt(self._shown(examples), f"Question: {query}\nAnswer:")

    def grade_prompt(self, examples: Sequence[Pair], query: str, answer: str) -> Prompt:
        """Examples, the question, the answer on one line, and the survey's question."""
        line = _one_line(answer)
        return Prompt(
            self._shown(examples),
            f"Question: {query}\nAnswer: {line}\n{GRADING_QUESTION}\nIt deserves that",
        )

    def read_answer(self, text: str) -> str:
        """The text up to its first newline, without the space around it."""
        return text.split("\n", 1)[0].strip()

    def _shown(self, examples: Sequence[Pair]) -> str:
        return "".join(f"Question: {q}\nAnswer: {_one_line(a)}\n\n" for q, a in examples)


def _one_line(answer: str) -> str:
    """An answer that stays on its line, so that it cannot forge a question or a grade."""
    return " ".join(answer.split())
