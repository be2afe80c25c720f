"""Specs as Python shows them: cases of a function, a line each; the cases are the stack
language's."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re

import numpy as np

from mgptn.protocols.tasks.bundled import text
from mgptn.protocols.tasks.programs.cases import Case, read_spec, spec_text
from mgptn.protocols.tasks.programs.specs import MOST
from mgptn.protocols.tasks.programs.writing import Programs
from mgptn.protocols.tasks.python.translating import ASKED, translated
from mgptn.protocols.tasks.task import Problem, Split

CASE = re.compile(rf"\b{ASKED}\(\s*(\d)\s*,\s*(\d)\s*\)\s*(?:==?|->|→|is|returns|gives)\s*(\d)\b")
"""A case as anybody may write it."""

WHAT_IS_ASKED = (
    f"{ASKED}(a, b), which takes two digits and returns a digit. It follows one simple rule, in "
    "which numbers go round at 10 (7 + 5 is 2, and 2 - 5 is 7):"
)


class Specs(Programs):
    """The specs of the task `programs`, and those of one word."""

    sizes = range(1, MOST + 1)

    def drawn(self, rng: np.random.Generator, split: Split) -> tuple[Problem, str]:
        """A problem in the stack language, and its spec."""
        problem = self.draw(rng, split)
        return problem, problem.query.removesuffix("=")

    def reference_of(self, spec: str) -> str | None:
        """The right function in Python; None if this is no spec of the size."""
        row = self.row_of(f"{spec}=")
        return None if row is None else translated(text(self.known.programs[row]))

    def wanted(self, spec: str) -> list[int] | None:
        """The result for each of `behaviours.PAIRS`; None if this is no spec of the size."""
        row = self.row_of(f"{spec}=")
        return None if row is None else self.known.results[row].tolist()


def shown(spec: str) -> str:
    """A spec's cases, a line each."""
    return "\n".join(written(case) for case in read_spec(spec) or ())


def written(case: Case) -> str:
    """``f(2, 7) == 9``."""
    return f"{ASKED}({case.first}, {case.second}) == {case.result}"


def cases_in(text: str) -> tuple[Case, ...]:
    """All cases that a text has, in order."""
    return tuple(Case(*map(int, found.groups())) for found in CASE.finditer(text))


def spec_in(text: str) -> str:
    """A text's cases as a spec, of whatever length."""
    return spec_text(cases_in(text))
