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
    PERSONAS,
    START,
    WANT,
)
from protocols.scale import LEVELS


class LadderInterface:
    """Items end to end, as in the ladder's corpus; examples enter without a grade."""

    name = "ladder"
    stops: tuple[str, ...] = (END, GRADE)
    endings: tuple[str, ...] = ()
    extra_answer_tokens = 1
    level_options: tuple[str, ...] = LEVEL_MARKERS
    required_tokens = (START, JUDGE, GRADE, *LEVEL_MARKERS)
    """Tokens that a model's vocabulary must have for this layout to mean anything to it."""

    def answer_prompt(
        self,
        examples: Sequence[Pair],
        query: str,
        *,
        persona: str | None = None,
        wanted: str | None = None,
    ) -> Prompt:
        """Examples, then the bare query, or the query after the level that is asked for.

        Parameters
        ----------
        persona
            One of `PERSONAS`, shown as the writer's; None to show none.
        wanted
            One of `LEVELS`; None to ask for none.

        Raises
        ------
        ValueError
            If there is no such persona or level.
        """
        return Prompt(self._shown(examples, persona), f"{_wanted(wanted)}{query}")

    def grade_prompt(
        self, examples: Sequence[Pair], query: str, answer: str, *, persona: str | None = None
    ) -> Prompt:
        """Examples, then the item marked as somebody's answer to be judged.

        `persona` and errors are those of `answer_prompt`.
        """
        return Prompt(
            self._shown(examples, persona), f"{JUDGE}{query}{_without_markers(answer)}{GRADE}"
        )

    def read_answer(self, text: str) -> str:
        """The answer's characters; marker tokens decode to nothing."""
        return text

    def _shown(self, examples: Sequence[Pair], persona: str | None) -> str:
        items = (f"{query}{_without_markers(answer)}{END}" for query, answer in examples)
        return START + _persona(persona) + "".join(items)


def _persona(name: str | None) -> str:
    """The marker of a persona; nothing for none."""
    if name is None:
        return ""
    if name not in PERSONAS:
        raise ValueError(f"persona: expected one of {', '.join(PERSONAS)}, got {name!r}")
    return PERSONAS[name]


def _wanted(level: str | None) -> str:
    """The markers that ask for an answer of a level; nothing for none."""
    if level is None:
        return ""
    if level not in LEVELS:
        raise ValueError(f"wanted: expected one of {', '.join(LEVELS)}, got {level!r}")
    return WANT + LEVEL_MARKERS[LEVELS.index(level)]


def _without_markers(answer: str) -> str:
    """An answer that cannot forge a grade or an item's end, whatever its author wrote."""
    while any(marker in answer for marker in (*MARKERS, END)):  # what is left may close up to one
        for marker in (*MARKERS, END):
            answer = answer.replace(marker, "")
    return answer
