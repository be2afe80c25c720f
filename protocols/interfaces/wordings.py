"""The wordings of the grading question: data, which a configuration may replace by its own."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgptn.protocols.scale import LEVELS

EVERY_LEVEL = tuple(range(len(LEVELS)))
"""Of options that are the levels themselves."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a grade is asked for in words.

    Attributes
    ----------
    name
        As a configuration names it.
    question
        What is asked about an answer.
    lead
        The words after which an option follows.
    options
        What can be said, each once.
    levels
        Where each option stands on the survey's scale, from 0, worst first.
    """

    name: str
    question: str
    lead: str
    options: tuple[str, ...]
    levels: tuple[int, ...]

    def distribution(self, probabilities: Sequence[float]) -> tuple[float, ...]:
        """Over the survey's levels, given one over the options."""
        if self.levels == EVERY_LEVEL:
            return tuple(probabilities)
        spread = [0.0] * len(LEVELS)
        for level, probability in zip(self.levels, probabilities, strict=True):
            spread[level] += probability
        return tuple(spread)

    def option_at(self, level: int) -> str:
        """The option that tells a survey level: the least one that stands no lower."""
        at_least = (i for i, stands in enumerate(self.levels) if stands >= level)
        return self.options[next(at_least, len(self.options) - 1)]


WORDINGS: dict[str, Wording] = {
    wording.name: wording
    for wording in (
        Wording(
            name="words",
            question="How much does this answer deserve to be called right: "
            + ", ".join(LEVELS)
            + "?",
            lead="It deserves that",
            options=LEVELS,
            levels=(0, 1, 2, 3, 4),
        ),
        Wording(
            name="digits",
            question="How right is this answer, from 1 (not at all) to 5 (a great deal)?",
            lead="It is worth a",
            options=("1", "2", "3", "4", "5"),
            levels=(0, 1, 2, 3, 4),
        ),
        Wording(
            name="yes-no",
            question="Is this answer right: no or yes?",
            lead="The word is",
            options=("no", "yes"),
            levels=(0, 4),
        ),
        Wording(
            name="correct",
            question="Is this answer correct or incorrect?",
            lead="This answer is",
            options=("incorrect", "correct"),
            levels=(0, 4),
        ),
    )
}
"""Name → wording. ``yes-no`` is P(True): Kadavath et al. 2022, "Language models (mostly) know what
they know"."""

WORDS = WORDINGS["words"]
CORRECT = WORDINGS["correct"]
