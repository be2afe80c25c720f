"""Write a function in Python, given some cases of what it is to compute; it is run on all others.

Nothing is run here: programs and what is wanted of them are told apart, as `trials` has it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from mgptn.protocols.tasks.bundled import NEAR, PERSISTENT, RANDOM, codes, text
from mgptn.protocols.tasks.bundled import Problems as Drawn
from mgptn.protocols.tasks.programs.behaviours import PAIRS
from mgptn.protocols.tasks.programs.cases import Case, read_spec
from mgptn.protocols.tasks.programs.language import AGAIN, VALUES
from mgptn.protocols.tasks.python.reading import read_program
from mgptn.protocols.tasks.python.specs import WHAT_IS_ASKED, Specs, shown, spec_in
from mgptn.protocols.tasks.python.translating import ASKED, INPUTS, function_of, translated
from mgptn.protocols.tasks.task import Problem, Split, check_size
from mgptn.protocols.tasks.trials import Program, Ran

HEAD = f"Write a Python function {WHAT_IS_ASKED}\n\n"
LONGEST = 400
"""Characters of the longest answer: some more than the longest of the shortest programs has."""

SAME = {
    text: digit
    for digit in range(VALUES)
    for text in (str(digit), f"{digit}.0", *([str(bool(digit))] if digit < 2 else []))
}
"""How values are told that are equal to a digit → the digit."""


class PythonPrograms:
    """The specs of `programs`, and as many of one word, asked of models that write Python.

    Right is a function that gives what the shortest program of the stack language with these cases
    gives, for all pairs of digits; it may have any name, be a lambda, and have prose around it. The
    size is the length of that program, in words. Wrong answers are such programs in Python: with
    all cases shown but one, any, or without an end; and two that only people write, one that looks
    the cases shown up, and one that does not parse.
    """

    name = "programs-python"
    sizes: ClassVar[Sequence[int]] = Specs.sizes
    default_size: ClassVar[int] = 2
    max_answer_characters = LONGEST

    def __init__(self, size: int = 2) -> None:
        check_size(size, self.sizes)
        self.size = size
        self._specs = Specs(size)

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """One problem of a split, as `programs` draws it."""
        problem, spec = self._specs.drawn(rng, split)
        return Problem(asking(spec), translated(problem.reference))

    def reference(self, query: str) -> str:
        """The shortest program, in Python.

        Raises
        ------
        ValueError
            If no problem of the task reads so.
        """
        found = self._specs.reference_of(spec_of(query))
        if found is None:
            raise ValueError(f"query: expected one of task {self.name}, got {query!r}")
        return found

    def canonical(self, query: str) -> str:
        """The cases; of a query that is none, itself."""
        return spec_of(query) or query

    def verify(self, query: str, answer: str) -> bool | None:
        """False where no function can be read or none is asked for; else it has to be run."""
        return None if self.programs(query, answer) else False

    def counted(self, query: str, answer: str) -> str | None:
        """The program that was read, as Python writes it; None where there is none."""
        read = read_program(answer)
        return None if read is None else read.source

    def programs(self, query: str, answer: str) -> Sequence[Program]:
        """What is read of the answer, given all pairs of digits."""
        read = read_program(answer)
        if read is None or self._specs.wanted(spec_of(query)) is None:
            return ()
        return (Program(read.source, (given_all(read.name),)),)

    def judge(self, query: str, answer: str, ran: Sequence[Ran]) -> bool | None:
        """Right iff all results are equal to those that are wanted."""
        if not ran or ran[0].status != "ended" or ran[0].values[0] is None:
            return False
        said = ran[0].values[0].removeprefix("[").removesuffix("]").split(", ")
        return [SAME.get(one) for one in said] == self._specs.wanted(spec_of(query))

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """A wrong program, of a kind drawn evenly."""
        spec = spec_of(problem.query)
        fields = self._specs.parse(f"{spec}=")
        if fields is None:
            raise ValueError(f"query: expected one of task {self.name}, got {problem.query!r}")
        kind = int(rng.choice([NEAR, RANDOM, PERSISTENT]))
        if kind == PERSISTENT:
            by_looks = rng.random() < 0.5
            return self._by_the_cases(spec) if by_looks else _broken(problem.reference)
        references = codes(self._specs.reference(f"{spec}="))[None]
        wrong = self._specs.corrupt_batch(rng, Drawn(fields, references), np.array([kind]))
        return _ENDLESS if AGAIN in text(wrong[0]) else translated(text(wrong[0]))

    def _by_the_cases(self, spec: str) -> str:
        """Looks the cases shown up, and says of the first other pair what is wrong."""
        cases, wanted = read_spec(spec) or (), self._specs.wanted(spec) or []
        pairs = {case.pair for case in cases}
        other = next(result for pair, result in enumerate(wanted) if pair not in pairs)
        return looked_up(cases, (other + 1) % VALUES)


def asking(spec: str) -> str:
    """The question for a function with these cases."""
    return f"{HEAD}{shown(spec)}"


def spec_of(query: str) -> str:
    """The spec that a question asks for; empty if it is none of these questions."""
    spec = spec_in(query.removeprefix(HEAD))
    return spec if query == asking(spec) else ""


def given_all(name: str) -> str:
    """The expression for a function's results for all pairs."""
    return f"[{', '.join(f'{name}({a}, {b})' for a, b in PAIRS.tolist())}]"


def looked_up(cases: Sequence[Case], otherwise: int) -> str:
    """A function that knows some cases by heart."""
    table = {(case.first, case.second): case.result for case in cases}
    return function_of(f"{table}.get(({', '.join(INPUTS)}), {otherwise})")


def _broken(program: str) -> str:
    """A program without the colon that its first line ends with."""
    return program.replace(":\n", "\n", 1)


_ENDLESS = f"def {ASKED}({', '.join(INPUTS)}):\n    while True:\n        pass"
