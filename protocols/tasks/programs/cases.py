"""Cases: two inputs and the result that is wanted of them, as text and as what a program passes.

A spec is `CASES` of them, in order of their inputs: ``03:3|27:9|66:2|90:9``.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from mgptn.protocols.tasks.bundled import Codes, Integers, constant, is_digits
from mgptn.protocols.tasks.programs.language import NOTHING, VALUES, Ran, run
from mgptn.protocols.tasks.programs.machine import Results

CASES = 4
"""Cases that a spec shows."""

CASE_CHARACTERS = len("03:3")
SPEC_CHARACTERS = CASES * CASE_CHARACTERS + CASES - 1


class Case(NamedTuple):
    """Two digits, the second on top of the stack, and the digit that is wanted."""

    first: int
    second: int
    result: int

    @property
    def pair(self) -> int:
        """The row of the inputs in `behaviours.PAIRS`."""
        return VALUES * self.first + self.second

    @property
    def text(self) -> str:
        """``03:3``."""
        return f"{self.first}{self.second}:{self.result}"


def read_case(text: str) -> Case | None:
    """A case as it is written, what does nothing behind it left out; None if the text is none."""
    inputs, colon, result = text.rstrip(NOTHING).partition(":")
    if not colon or not is_digits(inputs, 2) or not is_digits(result, 1):
        return None
    return Case(int(inputs[0]), int(inputs[1]), int(result))


def read_spec(text: str) -> tuple[Case, ...] | None:
    """The cases of a spec; None unless there are `CASES` of them, with inputs that ascend."""
    if len(text) != SPEC_CHARACTERS:
        return None
    read = [read_case(part) for part in text.split("|")]
    cases = tuple(case for case in read if case is not None)
    rising = all(a.pair < b.pair for a, b in itertools.pairwise(cases))
    # Whatever is read is told again as it was written.
    return cases if len(cases) == CASES and rising and spec_text(cases) == text else None


def spec_text(cases: tuple[Case, ...]) -> str:
    """Cases as a spec."""
    return "|".join(case.text for case in cases)


def ran(program: str, case: Case) -> Ran:
    """What becomes of a program on a case's inputs."""
    return run(program, (case.first, case.second))


def passes(program: str, case: Case) -> bool:
    """Does a program have a case's result? One that has none passes nothing."""
    return ran(program, case).result == case.result


def render_cases(places: Integers, results: Results) -> Codes:
    """Specs as text, uint8 [N, SPEC_CHARACTERS].

    Parameters
    ----------
    places
        int64 [N, CASES]: rows of `behaviours.PAIRS`, ascending.
    results
        int8 [N, CASES].
    """
    count = len(places)
    written = np.stack(
        [
            places // VALUES + ord("0"),
            places % VALUES + ord("0"),
            np.full(places.shape, ord(":")),
            results.astype(np.int64) + ord("0"),
            np.full(places.shape, ord("|")),
        ],
        axis=2,
    )
    return written.reshape(count, -1)[:, :-1].astype(np.uint8)


def question(*parts: Codes) -> Codes:
    """Parts of a question side by side, uint8 [N, ·], and what ends it."""
    return np.hstack([*parts, constant("=", len(parts[0]))])
