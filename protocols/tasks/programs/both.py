"""Questions for programs and questions for tests of them in one task: what a population of coders
and testers is asked.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.protocols.tasks.bundled import Codes, Fields, Flags, Integers, Problems, codes, constant
from mgptn.protocols.tasks.programs.cases import CASE_CHARACTERS, CASES
from mgptn.protocols.tasks.programs.language import ALPHABET, NOTHING
from mgptn.protocols.tasks.programs.specs import WIDTH, SpecTask
from mgptn.protocols.tasks.programs.testing import ABOUT, Tests, read_question
from mgptn.protocols.tasks.programs.writing import Programs

UNWRITTEN = NOTHING * WIDTH
"""Stands where a question for a program has none."""

TESTED = 0.5
"""Share of the questions that ask for a test."""


class CodeAndTests(SpecTask):
    """``…/......=`` asks for a program, ``…/-.....=`` for a case that tells the one that is there.

    Otherwise as the tasks `programs` and `tests`, whose answers are as wide here: a case is filled
    up as programs are. Fields: those of a spec, and the program's characters.
    """

    name = "code-and-tests"
    query_characters = Tests.query_characters
    max_answer_characters = WIDTH
    answer_alphabet = "".join(dict.fromkeys(ALPHABET + Tests.answer_alphabet))

    def __init__(self, size: int = SpecTask.default_size) -> None:
        super().__init__(size)
        self.programs, self.tests = Programs(size), Tests(size)

    def cases_text(self, query: str) -> str | None:
        """What stands before the program."""
        parts = read_question(query)
        return None if parts is None else parts[0]

    def extended(self, rng: np.random.Generator, specs: Fields) -> Fields:
        """Half of them with nothing written yet, half with a mutant."""
        tested = rng.random(len(specs)) < TESTED
        fields = np.hstack([specs, constant(UNWRITTEN, len(specs)).astype(np.int64)])
        fields[tested] = self.tests.extended(rng, specs[tested])
        return fields

    def render(self, fields: Fields) -> Codes:
        """As questions for tests are."""
        return self.tests.render(fields)

    def parse(self, query: str) -> Fields | None:
        """A question of either kind."""
        spec = program_spec(query)
        if spec is None:
            return self.tests.parse(query)
        fields = self.read_fields(spec)
        return None if fields is None else np.array([[*fields, *codes(UNWRITTEN)]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """As the task that each is of."""
        tested = _tested(fields)
        programs = self.programs.answer(rng, fields[~tested])
        return _joined(tested, programs, self.tests.answer(rng, fields[tested]))

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """As the task that each is of."""
        tested = _tested(fields)
        right = np.zeros(len(fields), dtype=np.bool_)
        right[~tested] = self.programs.right(fields[~tested], answers[~tested])
        cases = answers[tested]
        filled = (cases[:, CASE_CHARACTERS:] == ord(NOTHING)).all(axis=1)
        right[tested] = filled & self.tests.right(fields[tested], cases[:, :CASE_CHARACTERS])
        return right

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """As the task that each is of."""
        tested = _tested(problems.fields)
        made = [
            task.mistake(rng, Problems(problems.fields[of], problems.references[of]), kinds[of])
            for task, of in ((self.programs, ~tested), (self.tests, tested))
        ]
        return _joined(tested, *made)

    def verify(self, query: str, answer: str) -> bool:
        """As the task that it is of."""
        spec = program_spec(query)
        if spec is None:
            return self.tests.verify(query, answer)
        return self.programs.verify(spec + "=", answer)


def program_spec(query: str) -> str | None:
    """The spec of a question for a program; None of one for a test, or of none."""
    parts = read_question(query)
    return parts[0] if parts is not None and parts[1] == UNWRITTEN else None


def question_for_program(spec: str) -> str:
    """Asks for a program."""
    return f"{spec}{ABOUT}{UNWRITTEN}="


def question_for_test(spec: str, program: str) -> str:
    """Asks for a case that tells a program of at most `WIDTH` words from what a spec wants."""
    return f"{spec}{ABOUT}{program.ljust(WIDTH, NOTHING)}="


def _tested(fields: Fields) -> Flags:
    """Which fields ask for a test, bool [N]."""
    tested: Flags = (fields[:, CASES + 1 :] != ord(NOTHING)).any(axis=1)
    return tested


def _joined(tested: Flags, programs: Codes, cases: Codes) -> Codes:
    """Programs and cases in the places of what asked for them, all as wide as programs."""
    joined = np.full((len(tested), WIDTH), ord(NOTHING), dtype=np.uint8)
    joined[~tested] = programs
    joined[tested, :CASE_CHARACTERS] = cases
    return joined
