"""Make a program faster: what it computes stays, and instructions are counted, never time."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    BundledTask,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    codes,
    combine,
    text,
)
from mgptn.protocols.tasks.programs.behaviours import Behaviours, behaviours, pairs
from mgptn.protocols.tasks.programs.cases import question
from mgptn.protocols.tasks.programs.language import ALPHABET, NOTHING, is_program
from mgptn.protocols.tasks.programs.machine import NONE, passing, run_all
from mgptn.protocols.tasks.programs.specs import MOST, WIDTH, filled
from mgptn.protocols.tasks.programs.writing import computes
from mgptn.protocols.tasks.task import Split

DETOURS = ("dp", "ss", "1p", "op", "0+", "0-", "1*", "dv", "d^", "11*p")
"""Words that leave the stack as it was, wherever they have something to take."""


class Speed(BundledTask):
    """``sss+..=`` asks for a program that computes the same with fewer instructions: ``+.....``.

    The question's program is a shortest one with detours. Right is whatever has the same results
    for all pairs of inputs, the question's own program too; what makes it better is `saved`. Near
    misses are mutants of it, the random error is any program, and the persistent one is a program
    that is shorter and does something else. The size is the length of the shortest program.
    Fields: the behaviour's row, and the characters of the program.
    """

    name = "speed"
    sizes = range(2, MOST + 1)
    default_size = 3
    query_characters = WIDTH + 1
    max_answer_characters = WIDTH
    answer_alphabet = ALPHABET

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)

    @property
    def known(self) -> Behaviours:
        """All behaviours up to the largest size."""
        return behaviours(MOST)

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Shortest programs with one detour, or several, wherever they do no harm."""
        kept: list[Fields] = []
        found, of_size = 0, self.known.of_size(self.size)
        while found < count:
            rows = rng.integers(of_size.start, of_size.stop, size=2 * (count - found))
            slow = np.array([_detoured(rng, text(self.known.programs[row])) for row in rows])
            same = passing(slow, pairs(), self.known.results[rows])
            kept.append(np.hstack([rows[:, None], slow])[same])
            found += int(same.sum())
        return np.concatenate(kept)[:count]

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the program."""
        return combine(fields[:, 1:])

    def render(self, fields: Fields) -> Codes:
        """The program, and the question's end."""
        return question(fields[:, 1:].astype(np.uint8))

    def parse(self, query: str) -> Fields | None:
        """A program whose shortest one has as many words as the size says."""
        program = query[:-1]
        if not query.endswith("=") or len(program) != WIDTH or not is_program(program):
            return None
        row = _row(program, self.size)
        return None if row is None else np.array([[row, *codes(program)]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The shortest program."""
        return filled(self.known.programs[fields[:, 0]])

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """The same results for all pairs of inputs."""
        return passing(answers, pairs(), self.known.results[fields[:, 0]])

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """A word changed; any program; another, shorter one."""
        count = len(problems.fields)
        wrong = filled(self.known.programs[rng.integers(0, len(self.known.sizes), size=count)])
        near = problems.fields[:, 1:].astype(np.uint8)
        letters = codes(ALPHABET)
        near[np.arange(count), rng.integers(0, WIDTH, count)] = rng.choice(letters, size=count)
        shorter = combine(problems.fields) % np.uint64(self.known.of_size(self.size).start)
        special = filled(self.known.programs[shorter.astype(np.int64)])
        wrong = np.where((kinds == NEAR)[:, None], near, wrong)
        return np.where((kinds == PERSISTENT)[:, None], special, wrong)

    def verify(self, query: str, answer: str) -> bool:
        """Right iff it has the same results, for all pairs of inputs."""
        fields = self.parse(query)
        return fields is not None and computes(answer, int(fields[0, 0]))


@lru_cache(maxsize=1 << 14)
def _row(program: str, size: int) -> int | None:
    """The behaviour of a program, if its shortest one has so many words."""
    known = behaviours(MOST)
    results, _ = run_all(codes(program)[None], pairs())
    found = np.flatnonzero((known.results == results[0]).all(axis=1))
    return int(found[0]) if len(found) and known.sizes[found[0]] == size else None


@lru_cache(maxsize=1 << 14)
def instructions(program: str) -> int | None:
    """Instructions that a program does for all pairs of inputs together; None if it fails any."""
    if not is_program(program) or not program:
        return None
    results, steps = run_all(codes(program)[None], pairs())
    return None if (results == NONE).any() else int(steps.sum())


def saved(before: str, after: str) -> float:
    """Share of a program's instructions that another saves, in [0, 1]; 0 where it does more."""
    old, new = instructions(before), instructions(after)
    return 0.0 if not old or new is None else max(0.0, 1.0 - new / old)


def _detoured(rng: np.random.Generator, program: str) -> Codes:
    """A program with detours while there is room for one, the first of them in any case."""
    words = program.rstrip(NOTHING)
    while len(words) + 2 <= WIDTH:
        detour = str(rng.choice(DETOURS))
        if len(words) + len(detour) <= WIDTH:
            place = int(rng.integers(0, len(words) + 1))
            words = words[:place] + detour + words[place:]
    return codes(words.ljust(WIDTH, NOTHING))
