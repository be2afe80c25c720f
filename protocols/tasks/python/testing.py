"""Write a case that a wrong function in Python fails and the right one passes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mgptn.protocols.answers.thoughts import without_thoughts
from mgptn.protocols.tasks.bundled import NEAR, PERSISTENT, RANDOM, Flags, Integers
from mgptn.protocols.tasks.programs.behaviours import PAIRS
from mgptn.protocols.tasks.programs.cases import Case, read_spec
from mgptn.protocols.tasks.programs.language import VALUES
from mgptn.protocols.tasks.python.evaluating import evaluated
from mgptn.protocols.tasks.python.mutants import mutants_of
from mgptn.protocols.tasks.python.specs import (
    WHAT_IS_ASKED,
    Specs,
    cases_in,
    shown,
    spec_in,
    written,
)
from mgptn.protocols.tasks.task import Problem, Split, check_size

HEAD = f"A Python function is wanted: {WHAT_IS_ASKED}\n\n"
ABOUT = "\n\nThis one has a mistake:\n\n"
END = "\n\nWrite one more case, as those above, that the function wanted passes and this one fails."

_QUESTION = re.compile(f"{re.escape(HEAD)}(.*?){re.escape(ABOUT)}(.*){re.escape(END)}", re.DOTALL)


class PythonTests:
    """The task `tests`, of functions in Python: a case for a spec and a mutant of what it wants.

    Right is a case that is not shown, that the function wanted passes and the one shown fails; the
    first case that an answer has is what counts. Mutants are made of the syntax tree. Wrong answers
    are of the kinds of `tests`, and nothing has to be run: a mutant is one expression. The size is
    that of the spec.
    """

    name = "tests-python"
    sizes: ClassVar[Sequence[int]] = Specs.sizes
    default_size: ClassVar[int] = 2
    max_answer_characters = 64

    def __init__(self, size: int = 2) -> None:
        check_size(size, self.sizes)
        self.size = size
        self._specs = Specs(size)

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """A spec as `programs` draws it, a mutant that some case tells, and one such case."""
        while True:
            _, spec = self._specs.drawn(rng, split)
            tellable = [
                mutant
                for mutant in wrong_mutants(self._specs.reference_of(spec) or "")
                if self._telling(spec, mutant).any()
            ]
            if tellable:
                query = asking(spec, tellable[int(rng.integers(len(tellable)))])
                return Problem(query, self._case(query, rng.random(len(PAIRS))))

    def reference(self, query: str) -> str:
        """The first case that is right.

        Raises
        ------
        ValueError
            If no problem of the task reads so.
        """
        return self._case(query, np.arange(len(PAIRS), 0.0, -1.0))

    def canonical(self, query: str) -> str:
        """The cases shown; of a query that is none, itself."""
        return (read_question(query) or (query,))[0]

    def counted(self, query: str, answer: str) -> str | None:
        """The first case that an answer has."""
        case = read_case(answer)
        return None if case is None else written(case)

    def verify(self, query: str, answer: str) -> bool:
        """Not shown, valid and killing."""
        parts, case = read_question(query), read_case(answer)
        if parts is None or case is None:
            return False
        telling = self._telling(*parts)
        return self._is_valid(parts[0], case) and bool(telling[case.pair])

    def valid(self, query: str, answer: str) -> bool:
        """Is it a case that the right function passes?"""
        parts, case = read_question(query), read_case(answer)
        return parts is not None and case is not None and self._is_valid(parts[0], case)

    def worth(self, query: str, answer: str) -> float:
        """Share of the right function's mutants that a valid case kills; 0 of any other."""
        parts, case = read_question(query), read_case(answer)
        if parts is None or case is None or not self.valid(query, answer):
            return 0.0
        made = wrong_mutants(self._specs.reference_of(parts[0]) or "")
        killed = [_results(one)[case.pair] != case.result for one in made]
        return float(np.mean(killed)) if killed else 0.0

    def coverage(self, query: str, answer: str) -> float:
        """Share of the right function's expressions that a case reaches; 0 of no case."""
        parts, case = read_question(query), read_case(answer)
        if parts is None or case is None:
            return 0.0
        reference = evaluated(self._specs.reference_of(parts[0]) or "")
        return 0.0 if reference is None else reference.coverage(case.pair)

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """A digit beside the right one; any case that is wrong; a case that is shown."""
        parts, right = read_question(problem.query), read_case(problem.reference)
        if parts is None or right is None:
            raise ValueError(f"query: expected one of task {self.name}, got {problem.query!r}")
        kind = int(rng.choice([NEAR, RANDOM, PERSISTENT]))
        if kind == PERSISTENT:
            cases = read_spec(parts[0]) or ()
            return written(cases[int(rng.integers(len(cases)))])
        if kind == NEAR:
            return written(right._replace(result=(right.result + 1) % VALUES))
        while True:
            case = written(Case(*rng.integers(0, VALUES, size=3).tolist()))
            if not self.verify(problem.query, case):
                return case

    def _is_valid(self, spec: str, case: Case) -> bool:
        wanted = self._specs.wanted(spec)
        return wanted is not None and wanted[case.pair] == case.result

    def _telling(self, spec: str, program: str) -> Flags:
        """Pairs that are not shown and that tell a program from what is wanted, bool [P]."""
        wanted, other = self._specs.wanted(spec), evaluated(program)
        if wanted is None or other is None:
            return np.zeros(len(PAIRS), dtype=np.bool_)
        tell: Flags = other.results != wanted
        tell[[case.pair for case in read_spec(spec) or ()]] = False
        return tell

    def _case(self, query: str, weights: npt.NDArray[np.float64]) -> str:
        """The right case with the largest weight, [P]."""
        spec, program = read_question(query) or ("", "")
        telling = self._telling(spec, program)
        wanted = self._specs.wanted(spec)
        if wanted is None or not telling.any():
            raise ValueError(f"query: expected one of task {self.name}, got {query!r}")
        pair = int((telling * weights).argmax())
        return written(Case(pair // VALUES, pair % VALUES, wanted[pair]))


@lru_cache(maxsize=1 << 12)
def wrong_mutants(reference: str) -> tuple[str, ...]:
    """A function's mutants that give something else for any pair; each is one expression."""
    own = _results(reference)
    made = [(one, evaluated(one)) for one in mutants_of(reference)]
    return tuple(one for one, of in made if of is not None and (of.results != own).any())


def asking(spec: str, program: str) -> str:
    """The question for a case that tells a program from what a spec wants."""
    return f"{HEAD}{shown(spec)}{ABOUT}{program}{END}"


def read_question(query: str) -> tuple[str, str] | None:
    """The spec and the program of a question; None if it is none of these."""
    found = _QUESTION.fullmatch(query)
    if found is None:
        return None
    spec, program = spec_in(found[1]), found[2]
    return (spec, program) if asking(spec, program) == query else None


def read_case(answer: str) -> Case | None:
    """The first case that an answer has."""
    return next(iter(cases_in(without_thoughts(answer))), None)


def _results(program: str) -> Integers:
    found = evaluated(program)
    return np.full(len(PAIRS), -1) if found is None else found.results
