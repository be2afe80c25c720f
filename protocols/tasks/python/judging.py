"""What passes what of functions in Python and cases of them, as far as a sandbox has run them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mgptn.protocols.tasks.programs.cases import Case
from mgptn.protocols.tasks.programs.judging import Rewriting, StackWorkshop, Workshop
from mgptn.protocols.tasks.python import testing, writing
from mgptn.protocols.tasks.python.reading import read_program
from mgptn.protocols.tasks.python.specs import written
from mgptn.protocols.tasks.trials import Program, Ran

Place = tuple[str, int]
"""The source of a function, and the row of its inputs in `behaviours.PAIRS`."""


@dataclass(frozen=True, slots=True)
class PythonWorkshop(Workshop):
    """Of functions in Python; who writes again is shown the function and a case that it fails.

    Functions are given the inputs of tests alone, and of the cases shown where seats check these.
    One that does not end for all inputs that it was given at once passes nothing.
    """

    _results: dict[Place, int | None] = field(default_factory=dict)
    _endless: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, query: str, checkers: int) -> PythonWorkshop | None:
        """The one that a query is about; None if it is none about Python."""
        if spec := writing.spec_of(query):
            return cls(spec, "", checkers)
        parts = testing.read_question(query)
        return None if parts is None else cls(*parts, checkers)

    @property
    def for_program(self) -> str:
        """Asks for a function with the spec's cases."""
        return writing.asking(self.spec)

    def for_test(self, program: str) -> str:
        """Asks for a case that a function fails: it is shown as it was read, or as it was written
        where that is shorter."""
        read = read_program(program)
        texts = [program] if read is None else [program, read.source]
        return testing.asking(self.spec, min(texts, key=len))

    def read_case(self, test: str) -> Case | None:
        """The first case that an answer has."""
        return testing.read_case(test)

    def passes(self, program: str, case: Case) -> bool | None:
        """Does it give a case's result? What is no function gives none."""
        read = read_program(program)
        if read is None:
            return False
        place = read.source, case.pair
        return self._results[place] == case.result if place in self._results else None

    def is_endless(self, program: str) -> bool:
        """Did it not end for what it was given?"""
        read = read_program(program)
        return read is not None and read.source in self._endless

    def again(self, program: str, case: Case) -> Rewriting:
        """The case is told; the question stays."""
        return Rewriting(self.for_program, remark_on(case))

    def trials(self, programs: Sequence[str], tests: Sequence[str]) -> Sequence[Program]:
        """Each function once, given all inputs that it has not been given yet."""
        cases = [case for case in map(self.read_case, tests) if case is not None]
        pairs = {case.pair for case in (*cases, *(self.shown if self.checkers else ()))}
        read = [one for one in map(read_program, programs) if one is not None]
        fresh = {
            one: [pair for pair in sorted(pairs) if (one.source, pair) not in self._results]
            for one in dict.fromkeys(read)
        }
        return tuple(
            Program(one.source, tuple(_called(one.name, pair) for pair in some))
            for one, some in fresh.items()
            if some
        )

    def hear(self, trials: Sequence[Program], came: Sequence[Ran]) -> None:
        """What the functions gave; of one that the sandbox failed on nothing is known."""
        for program, ran in zip(trials, came, strict=True):
            if ran.status == "unknown":
                continue
            if ran.status == "time":
                self._endless.add(program.source)
            values = ran.values if ran.status == "ended" else [None] * len(program.cases)
            for call, value in zip(program.cases, values, strict=True):
                place = program.source, _pair(call)
                self._results[place] = None if value is None else writing.SAME.get(value)


def workshop_of(query: str, checkers: int) -> Workshop:
    """The one that a query of either language is about."""
    return PythonWorkshop.of(query, checkers) or StackWorkshop.of(query, checkers)


def remark_on(case: Case) -> str:
    """What is said of a function that fails a case."""
    return f"It fails {written(case)}."


def _called(name: str, pair: int) -> str:
    """A function's value for a pair of inputs, as an expression."""
    first, second = divmod(pair, 10)
    return f"{name}({first}, {second})"


def _pair(call: str) -> int:
    """The pair of inputs of an expression that `_called` made."""
    first, second = call.rpartition("(")[2].rstrip(")").split(", ")
    return 10 * int(first) + int(second)
