"""The bundled ladder's layout: one token a character, markers for grades and survey levels."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from protocols.interfaces.interface import Pair, Prompt
from protocols.interfaces.markers import (
    END,
    GRADE,
    JUDGE,
    LEVEL_MARKERS,
    MARKERS,
    START,
)


class LadderInterface:
    """Items end to end, as in the ladder's corpus; examples enter without a grade."""

    name = "ladder"
    stops: tuple[str, ...] = (END, GRADE)
    endings: tuple[str, ...] = ()
    extra_answer_tokens = 1
    level_options: tuple[str, ...] = LEVEL_MARKERS
    required_tokens = (START, JUDGE, GRADE, *LEVEL_MARKERS)
    """Tokens that a model's vocabulary must have for this layout to mean anything to it."""

    def answer_prompt(self, examples: Sequence[Pair], query: str) -> Prompt:
        """Examples, then the bare query."""
        return Prompt(self._shown(examples), query)

    def grade_prompt(self, examples: Sequence[Pair], query: str, answer: str) -> Prompt:
        """Examples, then the item marked as somebody's answer to be judged."""
        return Prompt(self._shown(examples), f"{JUDGE}{query}{_without_markers(answer)}{GRADE}")

    def read_answer(self, text: str) -> str:
        """The answer's characters; marker tokens decode to nothing."""
        return text

    def _shown(self, examples: Sequence[Pair]) -> str:
        items = (f"{query}{_without_markers(answer)}{END}" for query, answer in examples)
        return START + "".join(items)


def _without_markers(answer: str) -> str:
    """An answer that cannot forge a grade or an item's end, whatever its author wrote."""
    while any(marker in answer for marker in (*MARKERS, END)):  # what is left may close up to one
        for marker in (*MARKERS, END):
            answer = answer.replace(marker, "")
    return answer
