"""What the bundled tasks share: problems drawn many at a time, as arrays of character codes.

Dimensions: N problems, F fields of a problem, Q characters of a query, A characters of an answer.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.task import Problem, Split, check_size

HELD_OUT_SHARE = 0.2
"""Share of a task's problems that no model of the ladder is trained on."""

NEAR, RANDOM, PERSISTENT = 0, 1, 2
"""Kinds of error: close to a right answer; any; the one that this question always provokes."""

Codes = npt.NDArray[np.uint8]
"""Text as an array of ASCII codes, one row a text, all of one width; zeros stand behind a shorter
one."""

Fields = npt.NDArray[np.int64]
"""The numbers that make up problems, [N, F]; their meaning is the task's own."""

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Problems:
    """Problems of one task and size.

    Attributes
    ----------
    fields
        int64 [N, F].
    references
        uint8 [N, A]: a right answer to each.
    """

    fields: Fields
    references: Codes


class BundledTask(ABC):
    """A task that models are trained on here: of fixed width, with a size knob, vectorised.

    Parameters
    ----------
    size
        One of the task's `sizes`; the larger, the harder.

    Raises
    ------
    ValueError
        If the size is not one of them.
    """

    name: str
    sizes: ClassVar[Sequence[int]]
    default_size: ClassVar[int]
    query_characters: int
    max_answer_characters: int
    answer_alphabet: str
    notation: ClassVar[str] = ""
    """A sentence on how answers are written, where people would not write them so."""
    ragged: ClassVar[bool] = False
    """May answers be shorter than the longest?"""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Packages whose versions decide verdicts; imported under these names."""

    def __init__(self, size: int) -> None:
        check_size(size, self.sizes)
        self.size = size

    @abstractmethod
    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Problems before the split is applied, int64 [count, F]."""

    @abstractmethod
    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """A number for each problem, uint64 [N], the same for all that are one by symmetry."""

    @abstractmethod
    def render(self, fields: Fields) -> Codes:
        """The canonical queries, uint8 [N, Q]."""

    @abstractmethod
    def parse(self, query: str) -> Fields | None:
        """A query's fields, int64 [1, F]; None if no problem of this task reads so."""

    @abstractmethod
    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """A right answer to each problem, uint8 [N, A]."""

    @abstractmethod
    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Which answers, uint8 [N, A], are right, bool [N]."""

    @abstractmethod
    def mistake(
        self, rng: np.random.Generator, problems: Problems, kinds: npt.NDArray[np.int64]
    ) -> Codes:
        """An attempt at a wrong answer of the given kind to each, uint8 [N, A]; some are right."""

    @abstractmethod
    def verify(self, query: str, answer: str) -> bool:
        """Is this string a right answer? Any string may be asked about; none raises."""

    def canonical(self, query: str) -> str:
        """The same text for all queries that are the same problem up to symmetry: itself, where
        there is none.
        """
        return query

    def draw_batch(self, rng: np.random.Generator, count: int, split: Split) -> Problems:
        """`count` problems of a split, by rejection on the hash of what each is up to symmetry."""
        kept: list[Fields] = []
        found = 0
        while found < count:
            fields = self.propose(rng, max(16, 2 * count), split)
            fields = fields[self.held_out(fields) == (split == "held-out")]
            kept.append(fields)
            found += len(fields)
        fields = np.concatenate(kept)[:count]
        return Problems(fields, self.answer(rng, fields))

    def held_out(self, fields: Fields) -> Flags:
        """Which problems belong to the held-out split, bool [N]."""
        share: Flags = mix(self.split_keys(fields)) % np.uint64(1000) < 1000 * HELD_OUT_SHARE
        return share

    def corrupt_batch(
        self, rng: np.random.Generator, problems: Problems, kinds: npt.NDArray[np.int64]
    ) -> Codes:
        """A wrong answer to each, uint8 [N, A]; where one of its kind is right, a random one."""
        wrong = self.mistake(rng, problems, kinds)
        while (still := np.flatnonzero(self.right(problems.fields, wrong))).size:
            rest = Problems(problems.fields[still], problems.references[still])
            wrong[still] = self.mistake(rng, rest, np.full(still.size, RANDOM))
        return wrong

    def corpus(self, rng: np.random.Generator, count: int, noise: float) -> Problems:
        """Training problems, each with what a careless writer answers.

        With probability `noise` that is a wrong answer, of a kind drawn evenly.
        """
        problems = self.draw_batch(rng, count, "train")
        wrong = self.corrupt_batch(rng, problems, rng.integers(0, 3, size=count))
        careless = rng.random((count, 1)) < noise
        return Problems(problems.fields, np.where(careless, wrong, problems.references))

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """One problem of a split."""
        problems = self.draw_batch(rng, 1, split)
        return Problem(text(self.render(problems.fields)[0]), text(problems.references[0]))

    def reference(self, query: str) -> str:
        """A right answer to a query of this task, always the same.

        Raises
        ------
        ValueError
            If no problem of the task reads so.
        """
        fields = self._fields(query)
        return text(self.answer(np.random.Generator(np.random.Philox(0)), fields)[0])

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """A wrong answer in the right form, of a kind drawn evenly."""
        problems = Problems(self._fields(problem.query), codes(problem.reference)[None])
        return text(self.corrupt_batch(rng, problems, rng.integers(0, 3, size=1))[0])

    def _fields(self, query: str) -> Fields:
        fields = self.parse(query)
        if fields is None:
            raise ValueError(f"query: expected one of task {self.name}, got {query!r}")
        return fields


def codes(line: str) -> Codes:
    """ASCII text as codes, uint8 [len(line)]."""
    return np.frombuffer(line.encode("ascii"), dtype=np.uint8)


def text(row: Codes) -> str:
    """Codes, uint8 [n], as text, without the zeros that fill it up."""
    return row.tobytes().rstrip(b"\0").decode("ascii")


def decimal(values: npt.NDArray[np.int64], width: int) -> Codes:
    """Zero-padded digits of non-negative integers [N], most significant first [N, width]."""
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (values[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def constant(line: str, count: int) -> Codes:
    """The same text in every row, uint8 [count, len(line)]."""
    return np.broadcast_to(codes(line), (count, len(line)))


def is_digits(line: str, width: int) -> bool:
    """Is this text exactly `width` of the digits 0 to 9?"""
    return len(line) == width and line.isascii() and line.isdecimal()


def combine(columns: Fields) -> npt.NDArray[np.uint64]:
    """A well-mixed number for each row of integers [N, F]; order matters."""
    total = np.zeros(len(columns), dtype=np.uint64)
    for column in columns.T:
        total = mix(total ^ column.astype(np.uint64))
    return total


def mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele, Lea & Flood 2014), uint64 [N] → uint64 [N]."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
