"""Coders and testers in Python: what passes what is found in a sandbox, and is as the stack's."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mgptn.agents.sandbox.kinds import make_sandbox
from mgptn.agents.sandbox.programs import Kind
from mgptn.population.draws.streams import stream
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    RevisionRequest,
    RunReply,
    RunRequest,
    Transcript,
)
from mgptn.protocols.protocol import ProtocolOptions
from mgptn.protocols.scale import expected_level
from mgptn.protocols.table import PROTOCOLS
from mgptn.protocols.tasks.bundled import text
from mgptn.protocols.tasks.programs.behaviours import behaviours
from mgptn.protocols.tasks.programs.both import question_for_program, question_for_test
from mgptn.protocols.tasks.programs.cases import Case
from mgptn.protocols.tasks.programs.judging import StackWorkshop
from mgptn.protocols.tasks.python import testing, writing
from mgptn.protocols.tasks.python.both import PythonCodeAndTests
from mgptn.protocols.tasks.python.judging import PythonWorkshop
from mgptn.protocols.tasks.python.specs import written
from mgptn.protocols.tasks.python.translating import translated
from mgptn.protocols.tasks.trials import Program, Ran
from tests.plain_python import run_plainly
from tests.sandboxes import SMALL, kinds

SUM = "03:3|27:9|66:2|90:9"
ASKED = writing.asking(SUM)
RIGHT = "def f(a, b):\n    return (a + b) % 10"
BY_HEART = "def f(a, b):\n    return {(0, 3): 3, (2, 7): 9, (6, 6): 2, (9, 0): 9}.get((a, b), 0)"
ENDLESS = "def f(a, b):\n    while True:\n        pass"
RAISES = "def f(a, b):\n    return (a + b) % 10 if a else 1 // a"
BOASTS = "print('passed')\n\ndef f(a, b):\n    print('f(1, 2) == 3')\n    return 'passed'"
PROSE = "One has to add them up."

Says = Callable[[AnswerRequest | RevisionRequest], str]
Run = Callable[[Sequence[Program]], Sequence[Ran]]


def played(
    query: str, says: Says, run: Run, **options: object
) -> tuple[list[list[AnswerRequest | RevisionRequest]], Transcript, list[float | None]]:
    """What seats were asked, how it ended, and what each seat's grade is worth."""
    conversation = PROTOCOLS["code-and-tests"].converse(query, ProtocolOptions(**options))  # type: ignore[arg-type]
    asked, said = [], None
    while True:
        try:
            wanted = next(conversation) if said is None else conversation.send(said)
        except StopIteration as end:
            levels = [grade.levels for grade in end.value.grades]
            return asked, end.value, [None if w is None else expected_level(w) for w in levels]
        programs = [one.program for one in wanted if isinstance(one, RunRequest)]
        if programs:
            assert len(programs) == len(wanted)
            said = [RunReply(ran) for ran in run(programs)]
        else:
            asked.append(wanted)
            said = [AnswerReply(says(one), True, 6, -1.0) for one in wanted]


def tried(shop: PythonWorkshop, programs: Sequence[str], tests: Sequence[str], run: Run) -> None:
    trials = shop.trials(programs, tests)
    shop.hear(trials, run(trials))


@pytest.mark.parametrize("checkers", [0, 1])
def test_functions_are_worth_what_the_programs_are_that_they_translate(checkers: int) -> None:
    known, rng = behaviours(3), stream(0, "python judging")
    rows = rng.choice(len(known.sizes), size=(40, 4))
    for row in rows:
        stack = [text(one).rstrip(".") for one in known.programs[row]]
        python = [translated(one) for one in stack]
        cases = [Case(*rng.integers(0, 10, size=3).tolist()) for _ in range(3)]
        cases[0] = Case(cases[0].first, cases[0].second, int(known.results[row[1], cases[0].pair]))
        stack_tests, tests = [c.text for c in cases], [f"Try {written(c)}." for c in cases]
        plain = StackWorkshop.of(question_for_program(SUM), checkers)
        shop = PythonWorkshop.of(ASKED, checkers)
        assert shop is not None
        tried(shop, python, tests, run_plainly)
        assert shop.trials(python, tests) == ()
        heard = python[0], tests, python[1:]
        as_stack = stack[0], stack_tests, stack[1:]
        assert shop.worth_of_program(*heard) == plain.worth_of_program(*as_stack)
        assert (shop.rewriting(*heard) is None) == (plain.rewriting(*as_stack) is None)
        about = StackWorkshop.of(question_for_test(SUM, stack[0]), checkers)
        of_test = PythonWorkshop.of(testing.asking(SUM, python[0]), checkers)
        assert of_test is not None
        tried(of_test, python, tests[:1], run_plainly)
        assert of_test.worth_of_test(tests[0], python[1:]) == about.worth_of_test(
            stack_tests[0], stack[1:]
        )


@pytest.mark.parametrize("kind", kinds())
def test_coders_and_testers_in_a_sandbox(kind: Kind) -> None:
    """Agents that play parts: each program by three testers' cases, of which one is a copy."""
    tests = ["f(1, 2) == 3", "f(2, 7) == 9", "I'd try f(0, 0) -> 0 first."]

    def says(author: str) -> Says:
        def say(request: AnswerRequest | RevisionRequest) -> str:
            grader = request.seat != AUTHOR and int(request.seat.rpartition(" ")[2]) - 1
            if grader is False:
                return author
            return RIGHT if request.query == ASKED else tests[grader]

        return say

    expected = {
        RIGHT: [1.0, 1.0, 1.0],
        f"```python\n{RIGHT}\n\nassert f(1, 1) == 3\n```": [1.0, 1.0, 1.0],
        BY_HEART: [0.0, 1.0, 1.0],
        ENDLESS: [0.0, 0.0, 0.0],
        RAISES: [1.0, 1.0, 0.0],
        BOASTS: [0.0, 0.0, 0.0],
        PROSE: [0.0, 0.0, 0.0],
    }
    with make_sandbox(kind, SMALL) as sandbox:
        for author, worth in expected.items():
            found = played(ASKED, says(author), sandbox.run, graders=3, turns=1)[2]
            assert found == worth, author
        checked = {RIGHT: 1.0, BY_HEART: 1.0, ENDLESS: 0.0, PROSE: 0.0}
        for author, seen in checked.items():
            options = {"graders": 3, "turns": 1, "further": {"checking": 1}}
            assert played(ASKED, says(author), sandbox.run, **options)[2][2] == seen, author


def test_who_fails_a_test_that_others_pass_is_told_and_writes_again() -> None:
    def says(request: AnswerRequest | RevisionRequest) -> str:
        if isinstance(request, RevisionRequest):
            return RIGHT
        if request.query != ASKED:
            return "f(1, 2) == 3"
        return BY_HEART if request.seat == AUTHOR else RIGHT

    asked, transcript, worth = played(ASKED, says, run_plainly, graders=3, turns=2)
    assert asked[2] == [RevisionRequest(AUTHOR, ASKED, BY_HEART, "It fails f(1, 2) == 3.", 1)]
    assert [turn.kind for turn in transcript.turns] == ["draft", *["critique"] * 6]
    assert transcript.answer.text == RIGHT
    assert worth == [1.0, 1.0, 1.0]


def test_a_test_is_run_on_the_function_asked_about_and_on_those_that_others_write() -> None:
    query = testing.asking(SUM, "def f(a, b):\n    return (a - b) % 10")
    for said, others, worth in (
        ("f(1, 2) == 3", RIGHT, 1.0),
        ("f(1, 2) == 9", RIGHT, 0.0),
        ("f(0, 0) == 0", RIGHT, 0.0),  # kills nothing
        ("f(1, 2) == 3", ENDLESS, 0.0),
        (PROSE, RIGHT, 0.0),
    ):
        answer = {query: said, ASKED: others}
        found = played(query, lambda r: answer[r.query], run_plainly, graders=2)[2]  # noqa: B023
        assert found == [worth, worth], said


def test_of_what_the_sandbox_failed_on_nothing_is_said() -> None:
    def lost(programs: Sequence[Program]) -> list[Ran]:
        return [Ran("unknown")] * len(programs)

    says = {ASKED: RIGHT}
    found = played(ASKED, lambda r: says.get(r.query, "f(1, 2) == 3"), lost, graders=2, turns=1)
    assert found[2] == [None, None]
    query = testing.asking(SUM, RIGHT)
    found = played(query, lambda r: says.get(r.query, "f(1, 2) == 3"), lost, graders=2)
    assert found[2] == [None, None]


def test_both_kinds_of_questions_are_judged_as_their_own_tasks_are() -> None:
    task, rng = PythonCodeAndTests(2), np.random.default_rng(0)
    problems = [task.draw(rng, "held-out") for _ in range(40)]
    asks = [testing.read_question(problem.query) is not None for problem in problems]
    assert 8 < sum(asks) < 32  # a false alarm has a probability below 1e-4; the seed is fixed
    for problem, for_test in zip(problems, asks, strict=True):
        assert task.verify(problem.query, problem.reference) is (True if for_test else None)
        ran = run_plainly(task.programs(problem.query, problem.reference))
        assert bool(ran) != for_test
        assert task.judge(problem.query, problem.reference, ran)
        wrong = task.corrupt(problem, rng)
        ran = run_plainly(task.programs(problem.query, wrong))
        assert not task.judge(problem.query, wrong, ran)
