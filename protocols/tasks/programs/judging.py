"""What passes what, as numbers: programs by tests, tests by programs, speed by instructions.

No reference and no hidden case is looked at. Seats that check the spec look at the cases that
everybody is shown, and at nothing else. A value is in [0, 1]; None says nothing.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mgptn.protocols.tasks.bundled import codes, combine
from mgptn.protocols.tasks.programs.behaviours import PAIRS, pairs
from mgptn.protocols.tasks.programs.both import (
    program_spec,
    question_for_program,
    question_for_test,
)
from mgptn.protocols.tasks.programs.cases import Case, passes, read_case, read_spec, spec_text
from mgptn.protocols.tasks.programs.language import is_program
from mgptn.protocols.tasks.programs.machine import NONE, run_all
from mgptn.protocols.tasks.programs.specs import WIDTH
from mgptn.protocols.tasks.programs.testing import read_question

Value = float | None

LEAST_AGREEMENT = 0.5
"""Share of the others' programs that have to pass a test before anybody rewrites for it."""


@dataclass(frozen=True, slots=True)
class Workshop:
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

    @classmethod
    def of(cls, query: str, checkers: int) -> Workshop:
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
        for case in map(read_case, tests[:testers]):
            if case is None:
                values.append(None)
            else:
                sure = 0.5 * agreement(case, others)
                values.append(0.5 + sure if passes(program, case) else 0.5 - sure)
        return values + [float(not self.failed_of_shown(program))] * self.checkers

    def worth_of_test(self, test: str, programs: Sequence[str]) -> list[Value]:
        """What each seat says of a test: whether the seat's program passes it, and the one that
        is tested does not; of a checker, that a copy of what is shown is worth nothing.
        """
        case = read_case(test)
        if case is None:
            return [0.0] * len(programs)
        kills = bool(self.tested) and not passes(self.tested, case)
        shown = any(case.pair == other.pair for other in read_spec(self.spec) or ())
        coders = len(programs) - self.checkers
        values: list[Value] = [
            float(kills and passes(program, case)) for program in programs[:coders]
        ]
        return values + [0.0 if shown else None] * self.checkers

    def rewriting(self, program: str, tests: Sequence[str], others: Sequence[str]) -> str | None:
        """The question after which a program is written anew; None where nothing failed it.

        A test that it fails and most of the others pass is shown in place of a case that it passes.
        Where seats check the spec, a program that fails what is shown is asked for again.
        """
        if self.checkers and self.failed_of_shown(program):
            return self.for_program
        shown = read_spec(self.spec) or ()
        testers = len(tests) - self.checkers
        failed = [
            case
            for case in map(read_case, tests[:testers])
            if case is not None
            and not passes(program, case)
            and agreement(case, others) >= LEAST_AGREEMENT
            and all(case.pair != other.pair for other in shown)
        ]
        if not failed:
            return None
        case = max(failed, key=lambda one: agreement(one, others))
        spare = next((other for other in shown if passes(program, other)), shown[0])
        kept = sorted([case, *(other for other in shown if other != spare)])
        return question_for_program(spec_text(tuple(kept)))

    def failed_of_shown(self, program: str) -> list[Case]:
        """The cases shown that a program fails."""
        return [case for case in read_spec(self.spec) or () if not passes(program, case)]


def agreement(case: Case, programs: Sequence[str]) -> float:
    """Share of programs that pass a case; 0 of none."""
    return sum(passes(one, case) for one in programs) / len(programs) if programs else 0.0


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


def asks_for_program(query: str) -> bool:
    """Is it a question for a program? Else it is one for a test, or none."""
    return program_spec(query) is not None
