"""Questions and answers that somebody wrote down, as a task; their file is not read here."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mgptn.protocols.tasks.answer_matching import MATCHES, MatchName
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
        With distinct queries.
    match
        When an answer counts as the reference: see `mgptn.protocols.tasks.answer_matching`.
    held_out
        Whether runs draw all questions, or a fifth of them by hash of the question.
    max_answer_characters
        If None: half as much again as the longest reference, in UTF-8 bytes.

    Raises
    ------
    ImportError
        If `match` is ``"math"`` and math-verify is not installed.
    ValueError
        If there are no problems, or the same query twice.
    """

    name = "questions"

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        match: MatchName = "exact",
        held_out: HeldOut = "all",
        max_answer_characters: int | None = None,
    ) -> None:
        self._references = {problem.query: problem.reference for problem in problems}
        if not problems or len(self._references) < len(problems):
            raise ValueError(
                f"questions: expected at least one, each once, got {len(problems)} with "
                f"{len(self._references)} different queries"
            )
        self._problems = tuple(problems)
        self._held_out: HeldOut = held_out
        self._same = MATCHES[match]()
        longest = max(len(problem.reference.encode()) for problem in problems)
        self.max_answer_characters = max_answer_characters or max(8, 3 * longest // 2)

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

    def verify(self, query: str, answer: str) -> bool:
        """Right iff it matches the reference; to a question that is none of these, nothing does."""
        reference = self._references.get(query)
        return reference is not None and self._same(reference, answer)

    def reference(self, query: str) -> str:
        """The answer as written down."""
        return self._references[query]

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
