"""What agents learn from: answers that were accepted, of this generation and of those before."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgptn.population.records.agents import Example
from mgptn.population.records.settled import check_least, check_name

SOURCES = ("own", "shared")
MEMORIES = ("replace", "accumulate")


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was accepted in one generation, of problems of one size; 0 where sizes do not change."""

    size: int
    examples: tuple[Example, ...]


Memory = tuple[Lesson, ...]
"""Lessons of one agent, oldest first."""


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """What becomes of accepted answers where weights learn from them.

    Attributes
    ----------
    source
        An agent learns from its ``"own"`` accepted answers, or from everybody's: ``"shared"``.
    memory
        A new lesson ``"replace"``s those before, or they ``"accumulate"``.
    capacity
        Examples that a memory holds, ≥ 1; whole lessons are forgotten over it, oldest first.

    Raises
    ------
    ValueError
        If a name is unknown, or the capacity out of its range.
    """

    source: str = "own"
    memory: str = "accumulate"
    capacity: int = 20_000

    def __post_init__(self) -> None:
        check_name("source", self.source, SOURCES)
        check_name("memory", self.memory, MEMORIES)
        check_least(self, 1, "capacity")


def new_lessons(
    examples: Sequence[Sequence[Example]], size: int, settings: LearningSettings
) -> list[Lesson]:
    """A lesson for each agent, from what was accepted of each one's answers, in slot order."""
    if settings.source == "own":
        return [Lesson(size, tuple(own)) for own in examples]
    everybody = tuple(dict.fromkeys(example for own in examples for example in own))
    return [Lesson(size, everybody)] * len(examples)


def remembering(memory: Memory, lesson: Lesson, settings: LearningSettings) -> Memory:
    """A memory with a lesson added; one without examples changes nothing."""
    if not lesson.examples:
        return memory
    kept = (*memory, lesson) if settings.memory == "accumulate" else (lesson,)
    held = sum(len(one.examples) for one in kept)
    while len(kept) > 1 and held > settings.capacity:
        held -= len(kept[0].examples)
        kept = kept[1:]
    return kept
