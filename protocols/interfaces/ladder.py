"""The bundled ladder's layout: one token a character, markers for grades and survey levels."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mgptn.protocols.interfaces.interface import Asked, Ballot, Pair, Prompt, Shown
from mgptn.protocols.interfaces.markers import (
    END,
    GRADE,
    JUDGE,
    LEVEL_MARKERS,
    MARKERS,
    PERSONAS,
    START,
    WANT,
)
from mgptn.protocols.interfaces.reading import normalised
from mgptn.protocols.interfaces.wordings import WORDINGS, WORDS, Wording
from mgptn.protocols.scale import LEVELS, level_wanted

OPTIONS: dict[str, tuple[str, ...]] = {
    "words": LEVEL_MARKERS,
    "digits": WORDINGS["digits"].options,
    "yes-no": (LEVEL_MARKERS[0], LEVEL_MARKERS[-1]),
}
"""Wording → what a ladder model is read for. It was trained on the levels' markers alone: digits
are tokens that it knows from elsewhere."""

_MARKER = re.compile("|".join(map(re.escape, (*MARKERS, END))))


class LadderInterface:
    """Items end to end, as in the ladder's corpus; examples enter with a grade if they have one.

    Raises
    ------
    ValueError
        If the wording is none of those that the ladder has tokens for.
    """

    name = "ladder"
    stops: tuple[str, ...] = (END, GRADE)
    endings: tuple[str, ...] = ()
    extra_answer_tokens = 1
    grade_tokens = 1
    critique_tokens = 1
    apart = True
    required_tokens = (START, JUDGE, GRADE, *LEVEL_MARKERS)
    """Tokens that a model's vocabulary must have for this layout to mean anything to it."""

    def __init__(self, wording: Wording = WORDS) -> None:
        if wording.name not in OPTIONS or WORDINGS[wording.name] != wording:
            raise ValueError(
                f"protocol.question: expected one of {', '.join(OPTIONS)} with the ladder's "
                f"layout, which has no words, got {wording.name!r}"
            )
        self.wording = wording
        self.level_options = OPTIONS[wording.name]

    def answer_prompt(self, asked: Asked) -> Prompt:
        """Examples, then the bare query, or the query after the level that is asked for.

        Raises
        ------
        ValueError
            If the persona is none of `PERSONAS`, or there is no such level.
        """
        return Prompt(_shown(asked), f"{_wanted(asked.wanted)}{asked.query}")

    def said(self, answer: str) -> str:
        """The answer's characters."""
        return _without_markers(answer)

    def grade_prompt(self, asked: Asked) -> Prompt:
        """Examples, then the item marked as somebody's answer to be judged.

        Errors are those of `answer_prompt`.
        """
        return Prompt(_shown(asked, asked.shots), _judged(asked.query, asked.answer))

    def ballot(self, asked: Asked) -> Ballot:
        """Both answers judged one after the other: which gets the higher level, ties by halves.

        The levels of the second are read after each level that the first may have got.
        """
        second = _judged(asked.query, asked.rival)
        after = [f"{level}{END}{second}" for level in LEVEL_MARKERS]
        joint = [f"{start}{level}" for start in after for level in LEVEL_MARKERS]
        return Ballot(
            self.grade_prompt(asked), (*LEVEL_MARKERS, *joint), _first_wins, len(LEVEL_MARKERS)
        )

    def critique_prompt(self, asked: Asked) -> Prompt:
        """As a grading prompt: a level is all that the ladder can say of an answer."""
        return self.grade_prompt(asked)

    def revision_prompt(self, asked: Asked) -> Prompt:
        """Examples, the answer with the level that the critic named, then the query again."""
        level = LEVELS.index(asked.critique) if asked.critique in LEVELS else None
        item = _item(Shown(asked.query, asked.answer, level))
        return Prompt(_shown(asked), f"{item}{asked.query}")

    def level_after(self, level: int) -> tuple[str, str]:
        """The grade's marker, which ends an answer too, and the level's."""
        return GRADE, LEVEL_MARKERS[level]

    def read_answer(self, text: str) -> str:
        """The answer's characters; marker tokens decode to nothing."""
        return text

    def read_grade(self, text: str) -> int | None:
        """The marker, or the digit, that was written."""
        return self.level_options.index(text) if text in self.level_options else None

    def read_critique(self, text: str) -> str:
        """The level whose marker was written; empty where none was."""
        return LEVELS[LEVEL_MARKERS.index(text)] if text in LEVEL_MARKERS else ""


def _shown(asked: Asked, further: Sequence[Pair] = ()) -> str:
    return _laid_out((*asked.examples, *further), asked.persona)


@lru_cache(maxsize=1 << 12)
def _laid_out(examples: tuple[Pair, ...], persona: str | None) -> str:
    return START + _persona(persona) + "".join(_item(Shown(*example)) for example in examples)


def _item(shown: Shown) -> str:
    grade = "" if shown.level is None else f"{GRADE}{LEVEL_MARKERS[shown.level]}"
    return f"{shown.query}{_without_markers(shown.answer)}{grade}{END}"


def _judged(query: str, answer: str) -> str:
    return f"{JUDGE}{query}{_without_markers(answer)}{GRADE}"


def _first_wins(logs: Sequence[float]) -> float | None:
    """P(first's level above second's) + P(equal)/2, from the logs of a ballot's options."""
    size = len(LEVELS)
    first = normalised(logs[:size])
    after = [normalised(logs[size * (i + 1) : size * (i + 2)]) for i in range(size)]
    if first is None:
        return None
    wins = 0.0
    for level, (probability, second) in enumerate(zip(first, after, strict=True)):
        if second is None:
            return None
        wins += probability * (sum(second[:level]) + second[level] / 2.0)
    return wins


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
    return WANT + LEVEL_MARKERS[level_wanted(level)]


def _without_markers(answer: str) -> str:
    """An answer that cannot forge a grade or an item's end, whatever its author wrote."""
    while _MARKER.search(answer):  # what is left may close up to one
        for marker in (*MARKERS, END):
            answer = answer.replace(marker, "")
    return answer
