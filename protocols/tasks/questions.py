"""Questions and answers that somebody wrote down, as a task; their file is not read here."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mgptn.protocols.answers.extraction import PEOPLE, Extraction
from mgptn.protocols.answers.matching import QuestionsMatch
from mgptn.protocols.answers.reading import SENTENCE, make_reading
from mgptn.protocols.tasks.corruption import wrong_answer
from mgptn.protocols.tasks.split import HeldOut, belongs
from mgptn.protocols.tasks.task import Problem, Split

OTHERS = 20
"""Other questions whose answers are tried as a wrong one."""


class Questions:
    """A finite task: each question is a problem, and its written answer the reference.

    Parameters
    ----------
    problems
        With distinct queries; an answer that is one of `Problem.also` is right too.
    match
        When what counts of an answer is the reference: see `mgptn.protocols.answers.matching`.
    extraction
        What counts of an answer.
    held_out
        Whether runs draw all questions, or a fifth of them by hash of the question.
    max_answer_characters
        If None: half as much again as the longest right answer, in UTF-8 bytes, and a sentence
        around it where not all of an answer counts.

    Raises
    ------
    ImportError
        If `match` is ``"math"`` and math-verify is not installed.
    ValueError
        If there are no problems, or the same query twice, or no answer could match a reference, or
        the extraction's pattern is none.
    """

    name = "questions"

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        match: QuestionsMatch = "exact",
        extraction: Extraction = PEOPLE,
        held_out: HeldOut = "all",
        max_answer_characters: int | None = None,
    ) -> None:
        self._made_by = (match, extraction, held_out, max_answer_characters)
        self._by_query = {problem.query: problem for problem in problems}
        if not problems or len(self._by_query) < len(problems):
            raise ValueError(
                f"questions: expected at least one, each once, got {len(problems)} with "
                f"{len(self._by_query)} different queries"
            )
        self._problems = tuple(problems)
        self._held_out: HeldOut = held_out
        self._reading = make_reading(match, extraction)
        for problem in problems:
            for right in (problem.reference, *problem.also):
                if (fault := self._reading.fault(right)) is not None:
                    raise ValueError(f"questions: {fault}")
        lengths = (len(r.encode()) for p in problems for r in (p.reference, *p.also))
        derived = max(8, 3 * max(lengths) // 2) + (SENTENCE if self._reading.extracts else 0)
        self.max_answer_characters = max_answer_characters or derived

    def __reduce__(self) -> tuple[Any, ...]:
        # What reads answers cannot be pickled: another process makes it anew.
        return _again, (self._problems, *self._made_by)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem, in the order given."""
        return self._problems

    def pool(self, split: Split) -> tuple[Problem, ...]:
        """Every problem of a split, in the order given."""
        return tuple(
            p for p in self._problems if belongs(self.canonical(p.query), split, self._held_out)
        )

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """One question of the split, all equally likely.

        Raises
        ------
        ValueError
            If the split has none.
        """
        pool = self.pool(split)
        if not pool:
            raise ValueError(
                f"task.held_out: expected {split} questions, got none among {len(self._problems)}"
            )
        return pool[int(rng.integers(len(pool)))]

    def verify(self, query: str, answer: str) -> bool | None:
        """Right iff it matches a right answer; to a question that is none of these, none is.

        None where it matches none that it is known not to.
        """
        problem = self._by_query.get(query)
        if problem is None:
            return False
        rights = (problem.reference, *problem.also)
        found = {self._reading.same(right, answer) for right in rights}
        return True if True in found else None if None in found else False

    def counted(self, query: str, answer: str) -> str | None:
        """What counts of an answer, alike for the same answer; None where all of it does.

        None also where nothing in it counts: such answers are the same if their texts are.
        """
        problem = self._by_query.get(query)
        return self._reading.counted(answer, "" if problem is None else problem.reference)

    def reference(self, query: str) -> str:
        """The answer as written down, the first of several."""
        return self._by_query[query].reference

    def canonical(self, query: str) -> str:
        """The question with its spaces evened out."""
        return " ".join(query.split())

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """Another question's answer, or else an edit of this one's, that does not match."""
        return wrong_answer(
            problem, self._others(rng), self.verify, self.max_answer_characters, rng
        )

    def _others(self, rng: np.random.Generator) -> Iterator[str]:
        for index in rng.integers(len(self._problems), size=OTHERS):
            yield self._problems[index].reference


def _again(
    problems: Sequence[Problem],
    match: QuestionsMatch,
    extraction: Extraction,
    held_out: HeldOut,
    max_answer_characters: int | None,
) -> Questions:
    return Questions(
        problems,
        match=match,
        extraction=extraction,
        held_out=held_out,
        max_answer_characters=max_answer_characters,
    )
