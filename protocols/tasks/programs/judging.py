"""What passes what, as numbers: programs by tests, tests by programs, speed by instructions.

No reference and no hidden case is looked at. Seats that check the spec look at the cases that
everybody is shown, and at nothing else. A value is in [0, 1]; None says nothing.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mgptn.protocols.tasks.bundled import codes, combine
from mgptn.protocols.tasks.programs.behaviours import PAIRS, pairs
from mgptn.protocols.tasks.programs.both import question_for_program, question_for_test
from mgptn.protocols.tasks.programs.cases import Case, passes, ran, read_case, read_spec, spec_text
from mgptn.protocols.tasks.programs.language import STEPS, is_program
from mgptn.protocols.tasks.programs.machine import NONE, run_all
from mgptn.protocols.tasks.programs.specs import WIDTH
from mgptn.protocols.tasks.programs.testing import read_question
from mgptn.protocols.tasks.trials import Program, Ran

Value = float | None

LEAST_AGREEMENT = 0.5
"""Share of the others' programs that have to pass a test before anybody rewrites for it."""


class Rewriting(NamedTuple):
    """How a program is asked for again: by a question, and what is said of it, if that is said."""

    query: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Workshop(ABC):
    """A question for a program or for a test, and what is found by running what is written.

    Attributes
    ----------
    spec, tested
        The cases shown, and the program that a test is asked of; empty of another question.
    checkers
        Seats, the last ones, that check the spec instead of testing.
    """

    spec: str
    tested: str
    checkers: int

    @property
    @abstractmethod
    def for_program(self) -> str:
        """Asks for a program of the spec."""

    @abstractmethod
    def for_test(self, program: str) -> str:
        """Asks for a test of a program."""

    @abstractmethod
    def read_case(self, test: str) -> Case | None:
        """The case that a test is; None of what is none."""

    @abstractmethod
    def passes(self, program: str, case: Case) -> bool | None:
        """Does a program have a case's result? None where that is not known."""

    @abstractmethod
    def is_endless(self, program: str) -> bool:
        """Does a program not end for inputs that are shown?"""

    @abstractmethod
    def again(self, program: str, case: Case) -> Rewriting:
        """How a program is asked for again that fails a case."""

    def trials(self, programs: Sequence[str], tests: Sequence[str]) -> Sequence[Program]:
        """What has to be run in a sandbox before it is known what passes what; mostly nothing."""
        return ()

    def hear(self, trials: Sequence[Program], came: Sequence[Ran]) -> None:  # noqa: B027
        """What came of some `trials`."""

    def worth_of_program(
        self, program: str, tests: Sequence[str], others: Sequence[str]
    ) -> list[Value]:
        """What each seat says of a program: whether it passes the seat's test, the nearer to one
        half the fewer of the others' programs pass that too; of a checker, whether it has all cases
        shown.

        Parameters
        ----------
        tests, others
            Each seat's test of the program, and its own program for the spec.
        """
        testers = len(tests) - self.checkers
        values: list[Value] = []
        for case in map(self.read_case, tests[:testers]):
            passed = None if case is None else self.passes(program, case)
            if case is None or passed is None:
                values.append(None)
            else:
                sure = 0.5 * self.agreement(case, others)
                values.append(0.5 + sure if passed else 0.5 - sure)
        return values + [self.has_shown(program)] * self.checkers

    def worth_of_test(self, test: str, programs: Sequence[str]) -> list[Value]:
        """What each seat says of a test: whether the seat's program passes it, and the one that
        is tested does not; of a checker, that a copy of what is shown is worth nothing.
        """
        case = self.read_case(test)
        if case is None:
            return [0.0] * len(programs)
        spared = self.passes(self.tested, case) if self.tested else True
        shown = any(case.pair == other.pair for other in self.shown)
        coders = len(programs) - self.checkers
        values: list[Value] = []
        for program in programs[:coders]:
            passed = self.passes(program, case)
            known = spared is not None and passed is not None
            values.append(float(not spared and bool(passed)) if known else None)
        return values + [0.0 if shown else None] * self.checkers

    def rewriting(
        self, program: str, tests: Sequence[str], others: Sequence[str]
    ) -> Rewriting | None:
        """After what a program is written anew; None where nothing failed it.

        That is a test that it fails and most of the others pass; where seats check the spec, a case
        shown that it fails.
        """
        if self.checkers and (missed := self.failed_of_shown(program)):
            return self.again(program, missed[0])
        testers = len(tests) - self.checkers
        failed = [
            case
            for case in map(self.read_case, tests[:testers])
            if case is not None
            and self.passes(program, case) is False
            and self.agreement(case, others) >= LEAST_AGREEMENT
            and all(case.pair != other.pair for other in self.shown)
        ]
        if not failed:
            return None
        return self.again(program, max(failed, key=lambda one: self.agreement(one, others)))

    @property
    def shown(self) -> tuple[Case, ...]:
        """The cases that everybody is shown."""
        return read_spec(self.spec) or ()

    def failed_of_shown(self, program: str) -> list[Case]:
        """The cases shown that a program fails."""
        return [case for case in self.shown if self.passes(program, case) is False]

    def agreement(self, case: Case, programs: Sequence[str]) -> float:
        """Share of programs that pass a case, of those that this is known of; 0 of none."""
        said = [passed for one in programs if (passed := self.passes(one, case)) is not None]
        return sum(said) / len(said) if said else 0.0

    def has_shown(self, program: str) -> Value:
        """1 of a program that has all cases shown, 0 of one that fails any."""
        said = [self.passes(program, case) for case in self.shown]
        if False in said:
            return 0.0
        return None if None in said else 1.0


@dataclass(frozen=True, slots=True)
class StackWorkshop(Workshop):
    """Of programs in the stack language, which are run where they are looked at."""

    @classmethod
    def of(cls, query: str, checkers: int) -> StackWorkshop:
        """The one that a query is about."""
        spec, tested = read_question(query) or ("", "")
        return cls(spec, tested, checkers)

    @property
    def for_program(self) -> str:
        """Asks for a program of the spec."""
        return question_for_program(self.spec)

    def for_test(self, program: str) -> str:
        """Asks for a test of a program; of what is none, as of an empty one that says so."""
        shown = program if is_program(program) and len(program) <= WIDTH else ""
        return question_for_test(self.spec, shown)

    def read_case(self, test: str) -> Case | None:
        """The case that a test is."""
        return read_case(test)

    def passes(self, program: str, case: Case) -> bool:
        """Does a program have a case's result?"""
        return passes(program, case)

    def is_endless(self, program: str) -> bool:
        """For the first pair of inputs."""
        return any(ran(program, case).steps == STEPS for case in self.shown[:1])

    def again(self, program: str, case: Case) -> Rewriting:
        """A test that it failed is shown in place of a case that it passes."""
        if case in self.shown:
            return Rewriting(self.for_program)
        spare = next((other for other in self.shown if passes(program, other)), self.shown[0])
        kept = sorted([case, *(other for other in self.shown if other != spare)])
        return Rewriting(question_for_program(spec_text(tuple(kept))))


def profile(query: str, answer: str, inputs: int) -> Value:
    """The share of instructions that an answer saves on some inputs; 0 where it does otherwise.

    Which inputs is decided by the question and the answer, so that none can be written for them.

    Parameters
    ----------
    inputs
        How many pairs, at least 1.
    """
    before = query.removesuffix("=")
    if len(before) != WIDTH or not is_program(before):
        return None
    return _profile(before, answer, inputs)


@lru_cache(maxsize=1 << 14)
def _profile(before: str, answer: str, inputs: int) -> float:
    if len(answer) > WIDTH or not is_program(answer):
        return 0.0
    both = np.array([codes(before), codes(answer.ljust(WIDTH, "."))])
    key = int(combine(both.astype(np.int64).reshape(1, -1))[0])
    drawn = np.random.Generator(np.random.Philox(key)).permutation(len(PAIRS))[:inputs]
    results, steps = run_all(both, pairs()[drawn])
    if (results[0] != results[1]).any() or (results == NONE).any():
        return 0.0
    old, new = steps.sum(axis=1).tolist()
    return max(0.0, 1.0 - new / old) if old else 0.0
