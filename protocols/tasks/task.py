"""What a task is: problems drawn by key, a canonical query, and a verifier of any answer string."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

Split = Literal["train", "held-out"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One query drawn from a task.

    `query` is canonical text that ends where the answer begins; `reference` is a right answer, and
    `also` are others, where somebody wrote down several.
    """

    query: str
    reference: str
    also: tuple[str, ...] = ()


class Task(Protocol):
    """A recurrent task with a verifier."""

    name: str

    @property
    def max_answer_characters(self) -> int:
        """Characters of the longest answer that an agent may give."""
        ...

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """One problem; the same generator state gives the same problem."""
        ...

    def verify(self, query: str, answer: str) -> bool | None:
        """Is this string a right answer? Any string may be asked about; none raises.

        None where it is not known: a checker gave up, or a program would have to be run
        (`tasks.trials`).
        """
        ...

    def reference(self, query: str) -> str:
        """A right answer to a query of this task."""
        ...

    def canonical(self, query: str) -> str:
        """The same text for all queries that are the same problem up to the task's symmetry."""
        ...

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """A wrong answer in the right form."""
        ...


class SizedTask(Task, Protocol):
    """A class of tasks with a size knob.

    Parameters of its `__init__` that are given by keyword alone are its options; they have
    defaults. It may have `libraries`, the distributions that it needs, as pip calls them.
    """

    sizes: ClassVar[Sequence[int]]
    default_size: ClassVar[int]

    def __init__(self, size: int, **options: Any) -> None: ...


@runtime_checkable
class CountsParts(Protocol):
    """A task of whose answers not all counts."""

    def counted(self, query: str, answer: str) -> str | None:
        """What counts of an answer to a query, alike for the same answer; None where all does."""
        ...


def check_size(size: int, sizes: Sequence[int]) -> None:
    """Refuse a size that a task has not.

    Raises
    ------
    ValueError
        Saying which sizes there are.
    """
    if size not in sizes:
        raise ValueError(f"task.size: expected {sizes_in_words(sizes)}, got {size}")


def sizes_in_words(sizes: Sequence[int]) -> str:
    """A task's sizes as an error or a table names them: ``1 to 6``, or ``2, 4 or 6``."""
    if len(sizes) == 1:
        return str(sizes[0])
    if list(sizes) == list(range(sizes[0], sizes[-1] + 1)):
        return f"{sizes[0]} to {sizes[-1]}"
    *most, last = (str(size) for size in sizes)
    return f"{', '.join(most)} or {last}"


def validate(
    task: Task,
    rng: np.random.Generator,
    problems: int = 200,
    verify: Callable[[str, str], bool | None] | None = None,
) -> None:
    """Prove on fresh problems that a task's verifier can be trusted.

    Parameters
    ----------
    verify
        What stands for the task's own, of one whose verdicts need programs to be run.

    Raises
    ------
    AssertionError
        If the verifier rejects a reference, accepts a corruption, does not know of either, or a
        reference is longer than the task declares; the message names the query.
    """
    verify = verify or task.verify
    for _ in range(problems):
        for split in ("train", "held-out"):
            problem = task.draw(rng, split)
            said = verify(problem.query, problem.reference)
            if not said:
                raise AssertionError(
                    f"task {task.name}: {'does not know' if said is None else 'rejects'} its own "
                    f"reference {problem.reference!r} for {problem.query!r}"
                )
            if len(problem.reference) > task.max_answer_characters:
                raise AssertionError(
                    f"task {task.name}: reference {problem.reference!r} is longer than "
                    f"max_answer_characters={task.max_answer_characters}"
                )
            wrong = task.corrupt(problem, rng)
            said = verify(problem.query, wrong)
            if said or said is None:
                raise AssertionError(
                    f"task {task.name}: {'does not know' if said is None else 'accepts'} the "
                    f"corruption {wrong!r} for {problem.query!r}"
                )
