"""What a model is examined on: held-out problems, each once, and the contexts they come after.

Dimensions: N problems, C contexts, b examples of a context, A characters of an answer.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mgptn.protocols.interfaces.interface import Pair
from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    BundledTask,
    Codes,
    Flags,
    Problems,
    text,
)

Context = tuple[Pair, ...]

KINDS = ("persistent", "near", "other")
NEAR_ATTEMPTS = 256
"""Near misses drawn of a problem to see whether an answer is one; the corpus's tasks have at most
28 of them. Long strings of digits have more, so that some are taken for other errors.
"""

FRUITLESS = 3
"""Batches without a new problem after which all are taken to be found."""


@dataclass(frozen=True, slots=True)
class Exam:
    """N problems of a task, and their queries as text."""

    task: BundledTask
    problems: Problems
    queries: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.queries)

    def take(self, rows: npt.NDArray[np.int64]) -> Exam:
        """Some of the problems, possibly repeated."""
        problems = Problems(self.problems.fields[rows], self.problems.references[rows])
        return Exam(self.task, problems, tuple(self.queries[row] for row in rows))

    def first(self, count: int) -> Exam:
        """The first `count` problems, or all if there are fewer."""
        return self.take(np.arange(min(count, len(self))))

    def right(self, answers: Sequence[str]) -> Flags:
        """Which answers are right, bool [N]."""
        flags: Flags = self.task.right(self.problems.fields, self.codes(answers))
        return flags

    def codes(self, answers: Sequence[str]) -> Codes:
        """Answers as uint8 [N, A]; one of another length than the task's answers may have, or with
        other characters, is all 0.
        """
        width = self.task.max_answer_characters
        least = 1 if self.task.ragged else width
        whole = "".join(
            (a if least <= len(a) <= width and a.isascii() else "").ljust(width, "\0")
            for a in answers
        )
        return np.frombuffer(whole.encode("ascii"), dtype=np.uint8).reshape(-1, width)


def held_out_exam(task: BundledTask, count: int, rng: np.random.Generator) -> tuple[Exam, bool]:
    """`count` held-out problems, none twice; all of them, and True, where there are fewer."""
    found: dict[str, tuple[npt.NDArray[np.int64], Codes]] = {}
    fruitless = 0
    while len(found) < count and fruitless < FRUITLESS:
        before = len(found)
        drawn = task.draw_batch(rng, 4 * max(count, before), "held-out")
        for query, fields, reference in zip(
            task.render(drawn.fields), drawn.fields, drawn.references, strict=True
        ):
            found.setdefault(text(query), (fields, reference))
        fruitless = fruitless + 1 if len(found) == before else 0
    queries = tuple(found)[:count]
    fields, references = (np.array([found[q][part] for q in queries]) for part in (0, 1))
    return Exam(task, Problems(fields, references), queries), len(found) < count


def draw_contexts(task: BundledTask, rng: np.random.Generator, wrong: Flags) -> tuple[Context, ...]:
    """Contexts of training problems, their wrong answers of the three kinds evenly.

    Parameters
    ----------
    wrong
        bool [C, b]: which of each context's examples are wrong.
    """
    contexts, examples = len(wrong), wrong.shape[1]
    if not examples:
        return ((),) * contexts
    problems = task.draw_batch(rng, wrong.size, "train")
    corrupted = task.corrupt_batch(rng, problems, rng.integers(0, 3, size=wrong.size))
    answers = np.where(wrong.reshape(-1, 1), corrupted, problems.references)
    pairs = [
        (text(query), text(answer))
        for query, answer in zip(task.render(problems.fields), answers, strict=True)
    ]
    return tuple(tuple(pairs[i * examples : (i + 1) * examples]) for i in range(contexts))


def exactly(rng: np.random.Generator, contexts: int, examples: int, wrong: int) -> Flags:
    """Which examples are wrong where just so many are, in any places: bool [C, b]."""
    places = rng.permuted(np.tile(np.arange(examples), (contexts, 1)), axis=1)
    return np.asarray(places < wrong)


def dealt(count: int, contexts: int) -> npt.NDArray[np.int64]:
    """Which context each of `count` problems comes after, int64 [N]: blocks of equal size."""
    return np.arange(count) * contexts // max(count, 1)


def corpus_answers(exam: Exam, rng: np.random.Generator) -> tuple[tuple[str, ...], Flags]:
    """Answers as the corpus judges them, right with probability 1/2, and which are right."""
    count = len(exam)
    right = rng.random(count) < 0.5
    kinds = rng.integers(0, 3, size=count)
    wrong = exam.task.corrupt_batch(rng, exam.problems, kinds)
    answers = np.where(right[:, None], exam.problems.references, wrong)
    return tuple(text(answer) for answer in answers), right


def kinds_of(exam: Exam, answers: Sequence[str], rng: np.random.Generator) -> npt.NDArray[np.str_]:
    """The kind of error that each answer would be, str [N], one of KINDS.

    The persistent one, that the question decides, takes precedence over a near miss.
    """
    codes = exam.codes(answers)
    count = len(exam)
    near = np.zeros(count, dtype=np.bool_)
    for _ in range(NEAR_ATTEMPTS):
        missed = exam.task.mistake(rng, exam.problems, np.full(count, NEAR))
        near |= (missed == codes).all(axis=1)
    provoked = exam.task.mistake(rng, exam.problems, np.full(count, PERSISTENT))
    persistent = (provoked == codes).all(axis=1)
    return np.where(persistent, KINDS[0], np.where(near, KINDS[1], KINDS[2]))


def chance(exam: Exam, rng: np.random.Generator) -> float:
    """Accuracy of answers drawn evenly from the task's alphabet."""
    alphabet = np.frombuffer(exam.task.answer_alphabet.encode(), dtype=np.uint8)
    drawn = rng.choice(alphabet, size=(len(exam), exam.task.max_answer_characters))
    return float(exam.task.right(exam.problems.fields, drawn).mean())
