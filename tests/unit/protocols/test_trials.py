"""Verdicts that need programs: equal programs run once, and what is not known stays so."""

# SPDX-License-Identifier: Apache-2.0

import inspect
from collections.abc import Sequence

import numpy as np
import pytest

from mgptn.protocols.tasks import task as task_module
from mgptn.protocols.tasks.task import Problem, validate
from mgptn.protocols.tasks.trials import NeedsPrograms, Program, Ran, try_answers


class Doubling:
    """Write an expression whose value is twice a number; only digits and signs are programs."""

    name = "doubling"
    max_answer_characters = 20

    def draw(self, rng: np.random.Generator, split: str) -> Problem:
        """A number below 100."""
        query = str(rng.integers(100))
        return Problem(query, self.reference(query))

    def verify(self, query: str, answer: str) -> bool | None:
        """What is known without a sandbox."""
        return None if self.programs(query, answer) else False

    def reference(self, query: str) -> str:
        """The number, twice."""
        return f"{query}+{query}"

    def canonical(self, query: str) -> str:
        """Each is a problem of its own."""
        return query

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """One more."""
        return f"{problem.reference}+1"

    def programs(self, query: str, answer: str) -> Sequence[Program]:
        """The expression, as a case."""
        return [Program("", (answer,))] if answer and not set(answer) - set("0123456789+*") else []

    def judge(self, query: str, answer: str, ran: Sequence[Ran]) -> bool | None:
        """Compared out here."""
        return bool(ran) and ran[0].status == "ended" and ran[0].values == (str(2 * int(query)),)


class Evaluating:
    """Runs sums by evaluating them, and remembers what it was asked to run."""

    def __init__(self) -> None:
        self.asked: list[list[Program]] = []

    def __call__(self, programs: Sequence[Program]) -> list[Ran]:
        """One of them is never known."""
        self.asked.append(list(programs))
        return [
            Ran("unknown" if one.cases == ("9+9",) else "ended", (str(eval(one.cases[0])),))
            for one in programs
        ]


def test_programs_of_all_answers_are_run_at_once_and_equal_ones_once():
    run, task = Evaluating(), Doubling()
    assert isinstance(task, NeedsPrograms)
    pairs = [
        ("3", "3+3"),
        ("3", "2*2"),
        ("2", "2*2"),
        ("3", "3+3"),
        ("3", "import os"),
        ("9", "9+9"),
    ]
    assert try_answers(task, pairs, run) == [True, False, True, True, False, None]
    assert run.asked == [[Program("", ("3+3",)), Program("", ("2*2",)), Program("", ("9+9",))]]


def test_nothing_is_run_where_no_answer_needs_it():
    run = Evaluating()
    assert try_answers(Doubling(), [("3", "six"), ("3", "")], run) == [False, False]
    assert run.asked == []


def test_what_runs_programs_must_say_what_came_of_each():
    with pytest.raises(ValueError, match="zip"):
        try_answers(Doubling(), [("3", "3+3")], lambda programs: [])


def test_a_task_whose_verdicts_need_programs_is_held_to_its_own_references_by_them():
    task, rng = Doubling(), np.random.default_rng(0)
    task_module.validate(
        task, rng, 5, lambda query, answer: try_answers(task, [(query, answer)], Evaluating())[0]
    )
    with pytest.raises(AssertionError, match="task doubling: does not know its own reference"):
        validate(task, rng, 1)


def test_what_the_contract_says_of_types():
    """None is promised by both words for a verdict."""
    for judge in (task_module.Task.verify, NeedsPrograms.judge):
        assert inspect.signature(judge).return_annotation == "bool | None"
