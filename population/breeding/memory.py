"""What agents learn from: answers of this generation and of those before, accepted as a rule."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgptn.population.breeding.processes import ProcessOptions, deme_size
from mgptn.population.records.agents import Example
from mgptn.population.records.settled import check_least, check_name

SOURCES = ("own", "shared", "deme")
MEMORIES = ("replace", "accumulate")
LESSONS = ("context", "plain", "scored")
FEEDS = ("accepted", "all")


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was fed in one generation, of problems of one size; 0 where sizes do not change."""

    size: int
    examples: tuple[Example, ...]


Memory = tuple[Lesson, ...]
"""Lessons of one agent, oldest first."""


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """What becomes of answers where weights learn from them.

    Attributes
    ----------
    source
        An agent learns from its ``"own"`` answers, or from everybody's: ``"shared"``, or from those
        of everybody in its ``"deme"``.
    demes
        Of adjacent slots and equal size, ≥ 1, where the source is such.
    memory
        A new lesson ``"replace"``s those before, or they ``"accumulate"``.
    capacity
        Examples that a memory holds, ≥ 1; whole lessons are forgotten over it, oldest first.
    entry
        How an answer enters a lesson: as into a ``"context"``, ``"plain"``, or ``"scored"``, with
        the level nearest to its score.
    feeds
        Whether answers do if ``"accepted"``, or ``"all"`` that have a score.

    Raises
    ------
    ValueError
        If a name is unknown, or the capacity out of its range.
    """

    source: str = "own"
    demes: int = 1
    memory: str = "accumulate"
    capacity: int = 20_000
    entry: str = "context"
    feeds: str = "accepted"

    def __post_init__(self) -> None:
        check_name("source", self.source, SOURCES)
        check_name("memory", self.memory, MEMORIES)
        check_name("entry", self.entry, LESSONS)
        check_name("feeds", self.feeds, FEEDS)
        check_least(self, 1, "capacity", "demes")


def new_lessons(
    examples: Sequence[Sequence[Example]], size: int, settings: LearningSettings
) -> list[Lesson]:
    """A lesson for each agent, from what is fed of each one's answers, in slot order.

    Raises
    ------
    ValueError
        If the agents do not make up demes of equal size.
    """
    if settings.source == "own":
        return [Lesson(size, tuple(own)) for own in examples]
    demes = settings.demes if settings.source == "deme" else 1
    each = deme_size("islands", ProcessOptions(demes=demes), len(examples))
    lessons = []
    for first in range(0, len(examples), each):
        members = examples[first : first + each]
        everybody = tuple(dict.fromkeys(example for own in members for example in own))
        lessons += [Lesson(size, everybody)] * each
    return lessons


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
