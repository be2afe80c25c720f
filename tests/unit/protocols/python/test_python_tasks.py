"""Tasks about programs in Python: the same specs, read from whatever a model says, and mutants."""

# SPDX-License-Identifier: Apache-2.0

import ast
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.sandbox.kinds import make_sandbox
from mgptn.population.draws.streams import stream
from mgptn.protocols.table import SIZED, TASKS
from mgptn.protocols.tasks.bundled import text
from mgptn.protocols.tasks.programs.behaviours import behaviours
from mgptn.protocols.tasks.programs.cases import Case
from mgptn.protocols.tasks.python.evaluating import evaluated
from mgptn.protocols.tasks.python.mutants import mutants_of
from mgptn.protocols.tasks.python.reading import DEEPEST, read_program
from mgptn.protocols.tasks.python.specs import written
from mgptn.protocols.tasks.python.testing import PythonTests, read_question, wrong_mutants
from mgptn.protocols.tasks.python.translating import translated
from mgptn.protocols.tasks.python.writing import (
    LONGEST,
    PythonPrograms,
    asking,
    looked_up,
    spec_of,
)
from mgptn.protocols.tasks.task import Problem, validate
from mgptn.protocols.tasks.trials import Ran, try_answers
from tests.plain_python import PAIRS, function, run_plainly
from tests.sandboxes import SMALL, kinds

SUM = "def f(a, b):\n    return (a + b) % 10"
SPEC = "03:3|27:9|66:2|90:9"
"""Of the words `programs`, a sum alone has these cases."""


def verdicts(task, query, answers, run=run_plainly):
    return try_answers(task, [(query, answer) for answer in answers], run)


# The two languages.


def test_a_translation_gives_what_the_machine_gives():
    """By CPython itself, of every ninth behaviour; by our own reading of the source, of all."""
    known = behaviours(4)
    longest = 0
    for place, (words, results) in enumerate(zip(known.programs, known.results, strict=True)):
        source = translated(text(words))
        longest = max(longest, len(source))
        assert evaluated(source).results.tolist() == results.tolist(), text(words)
        if place % 9 == 0:
            made = function(source)
            assert [made(a, b) for a, b in PAIRS] == results.tolist(), source
    assert longest <= LONGEST


@pytest.mark.parametrize("words", ["p@", "@", "pp", ""])
def test_what_has_no_result_is_not_translated(words):
    if not words:
        assert function(translated(words))(3, 7) == 7
        return
    with pytest.raises(ValueError, match="expected one that comes to an end"):
        translated(words)


@pytest.mark.parametrize("name", ["programs-python", "tests-python"])
def test_they_are_tasks_that_nothing_here_is_trained_on(name):
    assert name in SIZED
    assert name not in TASKS


# Programs.


@pytest.mark.parametrize("size", PythonPrograms.sizes)
def test_right_ones_are_right_and_wrong_ones_wrong_by_a_plain_run(size):
    task = PythonPrograms(size)

    def verify(query, answer):
        return verdicts(task, query, [answer])[0]

    validate(task, stream(0, "python", size), 60, verify)


def test_what_is_asked_is_what_the_stack_languages_task_asks():
    task, words = PythonPrograms(2), TASKS["programs"](2)
    for split in ("train", "held-out"):
        problem = task.draw(stream(3, "same"), split)
        other = words.draw(stream(3, "same"), split)
        assert problem.query == asking(other.query.removesuffix("="))
        assert task.canonical(problem.query) == words.canonical(other.query)
        assert task.reference(problem.query) == translated(other.reference)
    with pytest.raises(ValueError, match="query: expected one of task programs-python"):
        task.reference("Write a Python function.")


def test_wrong_kinds_are_all_there_and_each_is_what_it_is_called():
    task, rng = PythonPrograms(2), stream(0, "kinds")
    problem = task.draw(rng, "train")
    cases = [(case.first, case.second, case.result) for case in _cases(problem)]
    had, kinds_seen = [], set()
    for _ in range(200):
        wrong = task.corrupt(problem, rng)
        if "while True" in wrong:
            kinds_seen.add("endless")
        elif read_program(wrong) is None:
            kinds_seen.add("does not parse")
        else:
            made = function(wrong)
            passed = sum(made(a, b) == result for a, b, result in cases)
            kinds_seen.add("looked up" if "{" in wrong else "program")
            assert "{" not in wrong or passed == len(cases)
            had.append(passed)
    assert kinds_seen == {"endless", "does not parse", "looked up", "program"}
    assert had.count(len(cases) - 1) > 30  # off by one case: a third of them, where there are such


def _cases(problem):
    return [Case(*map(int, one.replace(":", ""))) for one in spec_of(problem.query).split("|")]


def test_a_program_that_knows_the_cases_shown_by_heart_is_wrong():
    cases = [Case(*map(int, one.replace(":", ""))) for one in SPEC.split("|")]
    assert verdicts(PythonPrograms(1), asking(SPEC), [SUM, looked_up(cases, 0)]) == [True, False]


SAID = {
    "a block with prose": f"Sure! Here it is:\n\n```python\n{SUM}\n```\n\nThis adds the digits.",
    "another name": "```py\ndef add_digits(x, y):\n    return (x + y) % 10\n```",
    "no fence": f"Here is the function:\n{SUM}\n\nIt adds both.",
    "a bare lambda": "lambda a, b: (a + b) % 10",
    "a lambda in prose": "You can use `lambda x, y: (x + y) % 10` for that.",
    "a lambda with a name": "```\nadd = lambda x, y: (x + y) % 10\n```",
    "an unfinished fence": f"```python\n{SUM}",
    "tildes": f"~~~\n{SUM}\n~~~",
    "an indented block": f"1. So:\n   ```python\n{textwrap.indent(SUM, '   ')}\n   ```",
    "annotations": "```python\ndef f(a: int, b: int) -> int:\n    return (a + b) % 10\n```",
    "defaults": "def f(a=0, b=0, c=10):\n    return (a + b) % c",
    "a helper, after it": "def f(a, b):\n    return g(a + b)\n\ndef g(x):\n    return x % 10",
    "an import": "```python\nimport math\ndef f(a, b):\n    return int(math.fmod(a + b, 10))\n```",
    "a constant": "```python\nBASE = 10\ndef f(a, b):\n    return (a + b) % BASE\n```",
    "wrong examples after it": f"```python\n{SUM}\nassert f(1, 2) == 4\nprint(f(input(), 3))\n```",
    "two blocks": f"```python\n{SUM}\n```\nUse it so:\n```python\nprint(f(2, 7))\n```",
    "a second thought": "```python\ndef f(a, b):\n    return a\n```\nNo, rather:\n"
    f"```python\n{SUM}\n```",
    "thought aloud": f"<think>\n```\ndef f(a, b):\n    return 0\n```\n</think>\n```\n{SUM}\n```",
    "prose within the fence": f"```python\nHere is the code:\n{SUM}\nDone!\n```",
    "a test beside": f"```python\n{SUM}\n\ndef test_it(case):\n    assert f(0, 3) == 3\n```",
    "stars": "def f(*digits):\n    return sum(digits) % 10",
    "a float": "def f(a, b):\n    return float((a + b) % 10)",
    "windows' lines": SUM.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("answer", SAID.values(), ids=SAID)
def test_a_sum_is_read_however_it_is_said(answer):
    task = PythonPrograms(1)
    assert verdicts(task, asking(SPEC), [answer]) == [True]
    counted = task.counted(asking(SPEC), answer)
    assert counted is not None
    assert task.counted(asking(SPEC), counted) == counted
    assert "assert f(1" not in counted


NOT_SAID = {
    "nothing": "",
    "prose": "The function adds both digits, modulo 10.",
    "an expression": "(a + b) % 10",
    "one argument": "def f(a):\n    return a",
    "three": "def f(a, b, c):\n    return a",
    "no colon": SUM.replace(":", ""),
    "cut off": "```python\ndef f(a, b):\n    return (a + ",
    "its own loop": "async def f(a, b):\n    return a",
    "a named argument": "def f(a, b, *, c):\n    return a",
}


@pytest.mark.parametrize("answer", NOT_SAID.values(), ids=NOT_SAID)
def test_where_there_is_no_such_function_nothing_is_run_and_the_answer_is_wrong(answer):
    task = PythonPrograms(1)
    assert task.counted(asking(SPEC), answer) is None
    assert task.programs(asking(SPEC), answer) == ()
    assert task.verify(asking(SPEC), answer) is False
    assert verdicts(task, asking(SPEC), [answer]) == [False]


def test_a_verdict_needs_the_question_and_the_run():
    task = PythonPrograms(1)
    assert task.verify(asking(SPEC), SUM) is None
    assert task.verify("Write f.", SUM) is False
    assert verdicts(task, asking(SPEC), [SUM], lambda p: [Ran("unknown")]) == [None]
    for status in ("error", "time", "memory", "output", "refused"):
        assert verdicts(task, asking(SPEC), [SUM], lambda p, s=status: [Ran(s)]) == [False]
    for said in (None, "", "[]", "'[3, 9]'", "[1]" * 99):
        assert verdicts(task, asking(SPEC), [SUM], lambda p, s=said: [Ran("ended", (s,))]) == [
            False
        ]


HARSH = [
    *("(" * n for n in (DEEPEST, 5000, 200_000)),
    *("-" * n + "1" for n in (28, 5000)),
    "not " * 4000 + "f",
    "lambda a, b: " + "lambda a, b: " * 1000 + "a",
    "def f(a, b):\n" + "".join(" " * i + "if a:\n" for i in range(1, 200)),
    "x = " + "1+" * 6000 + "1\n" + SUM,
    "x = " + "a." * 6000 + "b\n" + SUM,
    "x = " + "f" + "()" * 6000 + "\n" + SUM,
    "x = " + "1 if 1 else " * 1500 + "1\n" + SUM,
    "x = 0x" + "f" * 15_000 + "\n" + SUM,
    "x = " + "9" * 15_000 + "\n" + SUM,
    "\0",
    "def f(a, b): return '\ud800'",
    "```" * 6000,
    "def f(a, b):\n  '\\d'\n" * 150,
    "f = lambda a, b: f'{" * 500,
]


@pytest.mark.parametrize("answer", HARSH, ids=range(len(HARSH)))
def test_no_answer_brings_the_reader_down(answer):
    read = read_program(answer)
    assert read is None or read_program(read.source) in (None, read)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                *("```", "```python\n", "\n", "`", "(", ")", "[", "é", ";", "'''", "\\", " "),
                *("def f(a, b):", "    return a", "lambda a, b: a", "import os", "x = 1", "# no"),
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_what_is_read_is_python_and_read_the_same_again(answer):
    read = read_program(answer)
    if read is not None:
        ast.parse(read.source)
        assert read_program(read.source) == read


@pytest.mark.parametrize("kind", kinds())
def test_in_a_sandbox_verdicts_are_those_of_a_plain_run(kind):
    """Wrong kinds, an attack and a loop among them."""
    answers = [
        *list(SAID.values())[:6],
        "def f(a, b):\n    return a + b",
        "def f(a, b):\n    return 'x' if a == 9 and b == 9 else (a + b) % 10",
        "def f(a, b):\n    return 1 // (a - 9)",
        "def f(a, b):\n    while a == 9:\n        pass\n    return (a + b) % 10",
        "def f(a, b):\n    return __import__('os')._exit(0)",
        "def f(a, b):\n    print('passed')\n    return (a + b) % 10",
        "class F:\n    pass\ndef f(a, b):\n    return F()",
    ]
    with make_sandbox(kind, SMALL) as sandbox:
        found = verdicts(PythonPrograms(1), asking(SPEC), answers, sandbox.run)
    assert found == [True] * 6 + [False] * 5 + [True, False]


# Mutants, and what a function of one expression gives.


def test_every_mutant_is_another_program_with_one_thing_changed():
    source = (
        "def f(a, b):\n    if not a or b == 3:\n        return True\n"
        "    while a < b:\n        a += 1\n    return min(a, 2) if a else 'x'"
    )
    made = mutants_of(source)
    assert len(set(made)) == len(made)
    nodes = {ast.dump(node) for node in ast.walk(ast.parse(source))}
    for mutant in made:
        tree = ast.parse(mutant)
        new = [node for node in ast.walk(tree) if ast.dump(node) not in nodes]
        assert ast.dump(tree) != ast.dump(ast.parse(source))
        assert len(new) <= 12  # what is changed, and all that it stands in
    for part in ("b != 3", "not a and b == 3", "b == 4", "b == 2", "False", "a <= b", "max(a, 2)"):
        assert any(part in mutant for mutant in made), part
    assert not any("b += 1" in mutant for mutant in made)  # what is assigned to stays
    assert mutants_of("no program") == ()


@pytest.mark.parametrize("size", [2, 4])
def test_mutants_of_references_are_evaluated_as_python_does(size):
    task, rng = PythonPrograms(size), stream(1, "mutants")
    count = 0
    for _ in range(6):
        reference = task.draw(rng, "train").reference
        for mutant in mutants_of(reference):
            made = function(mutant)
            assert evaluated(mutant).results.tolist() == [made(a, b) for a, b in PAIRS], mutant
            count += 1
    assert count > 50


def test_coverage_counts_what_a_pair_reaches():
    found = evaluated("def f(a, b):\n    return a + 1 if b else 2")
    assert found.reached.shape == (6, 100)  # the choice, b, a + 1, a, 1, and 2
    assert found.coverage(5) == pytest.approx(5 / 6)
    assert found.coverage(50) == pytest.approx(3 / 6)


@pytest.mark.parametrize(
    "source",
    [
        "f = lambda a, b: a",
        "def f(a):\n    return a",
        "def f(a, b):\n    a = b\n    return a",
        *(
            f"def f(a, b):\n    return {one}"
            for one in ("a / b", "a % b", "c", "open(a)", "", "'x'")
        ),
    ],
)
def test_other_python_is_not_evaluated(source):
    assert evaluated(source) is None


# Tests.


@pytest.mark.parametrize("size", PythonTests.sizes)
def test_the_verifier_of_tests_can_be_trusted(size):
    validate(PythonTests(size), stream(0, "tests", size), 20)


def test_a_test_is_right_iff_it_is_new_valid_and_killing():
    """Against both functions run plainly, for all thousand cases."""
    task = PythonTests(2)
    problem = task.draw(stream(5, "tests"), "train")
    spec, program = read_question(problem.query)
    right, wrong = function(PythonPrograms(2).reference(asking(spec))), function(program)
    shown = {tuple(map(int, one[:2])) for one in spec.split("|")}
    for a, b in PAIRS:
        for result in range(10):
            wanted = (a, b) not in shown and right(a, b) == result != wrong(a, b)
            assert task.verify(problem.query, f"f({a}, {b}) == {result}") == wanted
    assert task.verify(problem.query, problem.reference)
    assert task.reference(problem.query) == task.reference(problem.query)


def test_a_test_is_worth_the_mutants_that_it_kills():
    task = PythonTests(3)
    problem = task.draw(stream(6, "tests"), "train")
    spec, _ = read_question(problem.query)
    reference = PythonPrograms(3).reference(asking(spec))
    right, mutants = function(reference), [function(one) for one in wrong_mutants(reference)]
    assert len(mutants) > 3
    for a, b in PAIRS[::7]:
        case = written(Case(a, b, right(a, b)))
        killed = np.mean([mutant(a, b) != right(a, b) for mutant in mutants])
        assert task.worth(problem.query, case) == pytest.approx(killed)
        invalid = written(Case(a, b, (right(a, b) + 1) % 10))
        assert task.worth(problem.query, invalid) == 0.0
        assert 0 < task.coverage(problem.query, case) <= 1
    assert task.worth(problem.query, "none") == task.coverage(problem.query, "none") == 0.0


@pytest.mark.parametrize(
    "said",
    [
        "f(2, 7) == 9",
        "assert f(2,7)==9, 'no'",
        "I propose `f(2, 7) == 9`.",
        "f(2, 7) -> 9",
        "f(2, 7) = 9",
        "```python\nassert f( 2, 7 ) == 9\n```",
        "f(2, 7) returns 9 and not 5",
        "<think>f(1, 1) == 2</think>f(2, 7) == 9",
    ],
)
def test_a_case_is_read_however_it_is_said(said):
    assert PythonTests(2).counted("", said) == "f(2, 7) == 9"


@pytest.mark.parametrize(
    "said", ["", "f(12, 7) == 9", "f(2, 7) == 19", "f(2) == 9", "g(2, 7) == 9"]
)
def test_what_is_no_case_is_none(said):
    assert PythonTests(2).counted("", said) is None


def test_wrong_tests_are_of_the_kinds_that_the_stack_languages_are():
    task, rng = PythonTests(2), stream(2, "kinds")
    problem = task.draw(rng, "train")
    shown = problem.query.split("\n\n")[1].split("\n")
    wrong = [task.corrupt(problem, rng) for _ in range(90)]
    assert not any(task.verify(problem.query, one) for one in wrong)
    assert 15 < sum(one in shown for one in wrong) < 50
    assert len(set(wrong)) > 25
    with pytest.raises(ValueError, match="query: expected one of task tests-python"):
        task.corrupt(Problem("What?", "f(1, 2) == 3"), rng)
