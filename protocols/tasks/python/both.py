"""Questions for functions in Python, and for cases of them, in one task."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from mgptn.protocols.tasks.programs.both import TESTED
from mgptn.protocols.tasks.python.specs import Specs
from mgptn.protocols.tasks.python.testing import PythonTests, read_question
from mgptn.protocols.tasks.python.writing import PythonPrograms
from mgptn.protocols.tasks.task import Problem, Split
from mgptn.protocols.tasks.trials import Program, Ran


class PythonCodeAndTests:
    """Half of the questions are those of `programs-python`, half those of `tests-python`.

    Attributes
    ----------
    programs_of, tests_of
        The two tasks.
    """

    name = "code-and-tests-python"
    sizes: ClassVar[Sequence[int]] = Specs.sizes
    default_size: ClassVar[int] = 2
    max_answer_characters = PythonPrograms.max_answer_characters

    def __init__(self, size: int = 2) -> None:
        self.size = size
        self.programs_of, self.tests_of = PythonPrograms(size), PythonTests(size)

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """One problem of either task."""
        return (self.tests_of if rng.random() < TESTED else self.programs_of).draw(rng, split)

    def reference(self, query: str) -> str:
        """As the task that it is of."""
        return self._of(query).reference(query)

    def canonical(self, query: str) -> str:
        """As the task that it is of."""
        return self._of(query).canonical(query)

    def verify(self, query: str, answer: str) -> bool | None:
        """As the task that it is of."""
        return self._of(query).verify(query, answer)

    def counted(self, query: str, answer: str) -> str | None:
        """As the task that it is of."""
        return self._of(query).counted(query, answer)

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """As the task that it is of."""
        return self._of(problem.query).corrupt(problem, rng)

    def programs(self, query: str, answer: str) -> Sequence[Program]:
        """What is read of a function; a case is judged without running anything."""
        return () if self._tests(query) else self.programs_of.programs(query, answer)

    def judge(self, query: str, answer: str, ran: Sequence[Ran]) -> bool | None:
        """As the task that it is of."""
        if self._tests(query):
            return self.tests_of.verify(query, answer)
        return self.programs_of.judge(query, answer, ran)

    def _of(self, query: str) -> PythonPrograms | PythonTests:
        return self.tests_of if self._tests(query) else self.programs_of

    def _tests(self, query: str) -> bool:
        """Does a query ask for a case?"""
        return read_question(query) is not None


IN_PYTHON = (PythonCodeAndTests.name, PythonPrograms.name, PythonTests.name)
"""Tasks about functions in Python, whichever."""
