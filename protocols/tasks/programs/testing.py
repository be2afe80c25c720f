"""Write a case that a wrong program fails and a right one passes, given a spec and the program."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    codes,
    combine,
    text,
)
from mgptn.protocols.tasks.programs.behaviours import PAIRS, pairs
from mgptn.protocols.tasks.programs.cases import (
    CASE_CHARACTERS,
    CASES,
    SPEC_CHARACTERS,
    Case,
    passes,
    question,
    ran,
    read_case,
    read_spec,
)
from mgptn.protocols.tasks.programs.language import VALUES, is_program
from mgptn.protocols.tasks.programs.machine import Results, run_all
from mgptn.protocols.tasks.programs.mutants import mutants_of
from mgptn.protocols.tasks.programs.specs import WIDTH, SpecTask

ABOUT = "/"
"""Stands between a spec and the program that is to be tested."""

_DIGITS = frozenset(range(ord("0"), ord("9") + 1))


class Tests(SpecTask):
    """``03:3|…|90:9/-.....=`` asks for a case that tells ``-`` from what the spec wants: ``27:9``.

    The program is a mutant of the shortest one that the spec wants. Right is a case that is not
    shown, that the shortest program passes (it is *valid*), and that the program fails (it *kills*
    it). What a case is worth beyond that is `worth`. The near miss wants a digit beside the right
    one, the random error is any case, and the persistent one copies a case that is shown. Fields:
    those of a spec, and the characters of the program.
    """

    __test__ = False  # no test of ours, whatever its name
    name = "tests"
    query_characters = SPEC_CHARACTERS + 1 + WIDTH + 1
    max_answer_characters = CASE_CHARACTERS
    answer_alphabet = "0123456789:"

    def __init__(self, size: int = SpecTask.default_size) -> None:
        super().__init__(size)

    def cases_text(self, query: str) -> str | None:
        """What stands before the program."""
        parts = read_question(query)
        return None if parts is None else parts[0]

    def extended(self, rng: np.random.Generator, specs: Fields) -> Fields:
        """A mutant of each spec's program that some case tells that is not shown."""
        drawn = rng.random(len(specs))
        programs = [self._mutant(*one) for one in zip(specs, drawn, strict=True)]
        return np.hstack([specs, np.array(programs, dtype=np.int64).reshape(-1, WIDTH)])

    def _mutant(self, fields: Integers, drawn: float) -> Codes:
        """One of the mutants of a spec's program, by a number in [0, 1)."""
        made = mutants_of(text(self.known.programs[fields[CASES]]))
        tell = made.results != self.known.results[fields[CASES]]
        tell[:, fields[:CASES]] = False
        found = np.flatnonzero(tell.any(axis=1))
        mutant: Codes = made.programs[found[int(drawn * len(found))]]
        return mutant

    def render(self, fields: Fields) -> Codes:
        """The spec, the program, and the question's end."""
        about = np.broadcast_to(codes(ABOUT), (len(fields), 1))
        return question(self.spec(fields), about, fields[:, CASES + 1 :].astype(np.uint8))

    def parse(self, query: str) -> Fields | None:
        """A spec that is enough, and a program that an unshown case tells from what it wants."""
        parts = read_question(query)
        spec = None if parts is None else self.read_fields(parts[0])
        if parts is None or spec is None:
            return None
        fields = np.array([[*spec, *codes(parts[1])]])
        return fields if self._telling(fields).any() else None

    def _telling(self, fields: Fields) -> Flags:
        """Pairs of inputs that are not shown and that tell a program from the behaviour, [N, P]."""
        results, _ = run_all(fields[:, CASES + 1 :].astype(np.uint8), pairs())
        tell: Flags = results != self.known.results[fields[:, CASES]]
        np.put_along_axis(tell, fields[:, :CASES], False, axis=1)
        return tell

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """Any case that is right."""
        weights = self._telling(fields) * rng.random((len(fields), len(PAIRS)))
        pair = weights.argmax(axis=1)
        return _written(pair, self._wanted(fields, pair))

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """In form, not shown, valid, and killing."""
        digits = np.isin(answers, list(_DIGITS))
        in_form = (digits == [True, True, False, True]).all(axis=1) & (answers[:, 2] == ord(":"))
        values = np.where(digits, answers.astype(np.int64) - ord("0"), 0)
        pair = VALUES * values[:, 0] + values[:, 1]
        rows = np.arange(len(fields))
        found: Flags = (
            in_form
            & (values[:, 3] == self._wanted(fields, pair))
            & self._telling(fields)[rows, pair]
        )
        return found

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """A digit beside the right one; any case; a case that is shown."""
        fields, count = problems.fields, len(problems.fields)
        pair = rng.integers(0, len(PAIRS), size=count)
        result = rng.integers(0, VALUES, size=count)
        near = VALUES * (problems.references[:, 0].astype(np.int64) - ord("0"))
        near += problems.references[:, 1].astype(np.int64) - ord("0")
        beside = (self._wanted(fields, near) + rng.choice([1, VALUES - 1], size=count)) % VALUES
        copied = fields[np.arange(count), (combine(fields) % np.uint64(CASES)).astype(np.int64)]
        cases = [kinds == NEAR, kinds == PERSISTENT]
        pair = np.select(cases, [near, copied], pair)
        return _written(pair, np.select(cases, [beside, self._wanted(fields, copied)], result))

    def _wanted(self, fields: Fields, pair: Integers) -> Integers:
        results: Results = self.known.results[fields[:, CASES], pair]
        return results.astype(np.int64)

    def verify(self, query: str, answer: str) -> bool:
        """As `right`, of text, and run plainly."""
        fields, parts, case = self.parse(query), read_question(query), read_case(answer)
        if fields is None or parts is None or case is None or is_shown(parts[0], case):
            return False
        reference = text(self.known.programs[fields[0, CASES]])
        return passes(reference, case) and not passes(parts[1], case)

    def valid(self, query: str, answer: str) -> bool:
        """Is it a case that the shortest program passes?"""
        row, case = self.row_of(query), read_case(answer)
        if row is None or case is None:
            return False
        return passes(text(self.known.programs[row]), case)

    def worth(self, query: str, answer: str) -> float:
        """Share of the shortest program's mutants that a valid case kills; 0 of any other."""
        row, case = self.row_of(query), read_case(answer)
        if row is None or case is None or not self.valid(query, answer):
            return 0.0
        return mutants_of(text(self.known.programs[row])).killed(case)

    def coverage(self, query: str, answer: str) -> float:
        """Share of the shortest program's words that a case's inputs have it do; 0 of no case."""
        row, case = self.row_of(query), read_case(answer)
        if row is None or case is None:
            return 0.0
        words = int(self.known.sizes[row])
        # No shortest program of so few words does one twice.
        return min(1.0, ran(text(self.known.programs[row]), case).steps / words)


def read_question(query: str) -> tuple[str, str] | None:
    """The spec and the program of a question for a test; None if it is none."""
    spec, about, program = query.removesuffix("=").partition(ABOUT)
    if not about or not query.endswith("=") or len(program) != WIDTH or not is_program(program):
        return None
    return spec, program


def is_shown(spec: str, case: Case) -> bool:
    """Are a case's inputs among those of a spec?"""
    shown = read_spec(spec) or ()
    return any(case.pair == other.pair for other in shown)


def _written(pair: Integers, result: Integers) -> Codes:
    """Cases as text, uint8 [N, CASE_CHARACTERS]."""
    columns = [pair // VALUES, pair % VALUES, np.full_like(pair, ord(":") - ord("0")), result]
    return (np.stack(columns, axis=1) + ord("0")).astype(np.uint8)
