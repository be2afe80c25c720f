"""Write a program, given some cases of what it is to compute; others decide."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mgptn.protocols.tasks.bundled import (
    PERSISTENT,
    RANDOM,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    codes,
    combine,
)
from mgptn.protocols.tasks.programs.behaviours import behaviours, pairs
from mgptn.protocols.tasks.programs.cases import CASES, SPEC_CHARACTERS, question
from mgptn.protocols.tasks.programs.language import AGAIN, ALPHABET, NOTHING, is_program
from mgptn.protocols.tasks.programs.machine import passing
from mgptn.protocols.tasks.programs.specs import MOST, WIDTH, SpecTask, filled

ENDLESS = 0.25
"""Share of random wrong answers that begin again at their end, and so never come to one."""


class Programs(SpecTask):
    """``03:3|27:9|66:2|90:9=`` asks for a program that adds: ``+.....``, or ``s+....``.

    Right is what computes as the shortest program with these cases does, for all pairs of digits.
    The near miss passes all cases shown but one, the random error is any program, or one that
    begins again for ever, and the persistent one is special: it passes what is shown, as far as a
    program of few words can, and nothing else. Fields: those of a spec.
    """

    name = "programs"
    query_characters = SPEC_CHARACTERS + 1
    max_answer_characters = WIDTH
    answer_alphabet = ALPHABET

    def __init__(self, size: int = SpecTask.default_size) -> None:
        super().__init__(size)

    def cases_text(self, query: str) -> str | None:
        """All of it but its end."""
        return query[:-1] if query.endswith("=") else None

    def extended(self, rng: np.random.Generator, specs: Fields) -> Fields:
        """A spec is all that there is."""
        return specs

    def render(self, fields: Fields) -> Codes:
        """The spec, and the question's end."""
        return question(self.spec(fields))

    def parse(self, query: str) -> Fields | None:
        """Its cases, and the behaviour that they are enough for."""
        spec = self.cases_text(query)
        fields = None if spec is None else self.read_fields(spec)
        return None if fields is None else np.array([fields])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The shortest program."""
        return filled(self.known.programs[fields[:, CASES]])

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """As the behaviour for every pair of inputs."""
        return passing(answers, pairs(), self.known.results[fields[:, CASES]])

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """All cases but one; any program, or an endless one; all cases, and no more."""
        fields = problems.fields
        rows = rng.integers(0, len(self.known.sizes), size=len(fields))
        for i in np.flatnonzero(kinds != RANDOM):
            rows[i] = self._alike(rng, fields[i], bool(kinds[i] == PERSISTENT))
        wrong = filled(self.known.programs[rows])
        endless = (kinds == RANDOM) & (rng.random(len(fields)) < ENDLESS)
        wrong[endless, -1] = ord(AGAIN)
        return wrong

    def _alike(self, rng: np.random.Generator, fields: Integers, special: bool) -> int:
        """Another behaviour that has the cases shown: all but one, or as many as can be."""
        places, wanted = self.shown(fields[None])
        had = (self.known.results[:, places[0]] == wanted[0]).sum(axis=1)
        had[fields[CASES]] = -1
        most = had.max() if special else had[had < CASES].max()
        rows = np.flatnonzero(had == most)
        place = int(combine(fields[None])[0] % np.uint64(len(rows)))
        return int(rows[place] if special else rng.choice(rows))

    def verify(self, query: str, answer: str) -> bool:
        """Right iff it has the shortest program's result for every pair of inputs."""
        row = self.row_of(query)
        return row is not None and computes(answer, row)


@lru_cache(maxsize=1 << 16)
def computes(program: str, row: int) -> bool:
    """Has a program of at most `WIDTH` words the results of a behaviour, for all pairs?"""
    if len(program) > WIDTH or not is_program(program):
        return False
    wanted = behaviours(MOST).results[row]
    return bool(passing(codes(program.ljust(WIDTH, NOTHING))[None], pairs(), wanted[None])[0])
