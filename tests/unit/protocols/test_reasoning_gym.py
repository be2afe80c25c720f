"""Tasks from reasoning-gym: drawn by key alone, scored by the library, nothing of theirs run."""

# SPDX-License-Identifier: Apache-2.0

import functools
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.setting.tasks import make_task
from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.reasoning_gym import (
    HASHED,
    PREFIX,
    UNUSABLE,
    ReasoningGym,
    check_dataset,
    dataset_names,
)
from mgptn.protocols.tasks.safe_scoring import ALGEBRA, ARITHMETIC, EVALUATING, is_safe
from mgptn.protocols.tasks.split import is_held_out
from mgptn.protocols.tasks.task import Problem, validate

pytest.importorskip("reasoning_gym", reason="an extra: pip install '.[tasks]'")

pure = settings(deadline=None, max_examples=100)
ROOT = Path(__file__).parents[3]
QUICK = ("chain_sum", "leg_counting", "countdown", "n_queens", "maze", "list_functions")
"""Of several kinds: one answer or many, several lines, evaluated, drawn from global generators."""

DRAWN = """
import sys
from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.reasoning_gym import ReasoningGym
for name in sys.argv[2:]:
    task = ReasoningGym(name)
    for i in range(int(sys.argv[1])):
        print(name, task.draw(stream(i, "t"), ("train", "held-out")[i % 2]))
"""


@pytest.fixture(scope="module", params=QUICK)
def task(request):
    return ReasoningGym(request.param)


@pytest.fixture(scope="module")
def sums():
    return ReasoningGym("chain_sum")


def drawn_elsewhere(hash_seed, count, *names):
    """What another process draws, as text."""
    done = subprocess.run(
        [sys.executable, "-c", DRAWN, str(count), *names],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def configured(**task):
    return check_config({"name": "run", "task": task}).task


def refused(**task):
    with pytest.raises(ConfigError) as caught:
        make_task(configured(**task))
    return str(caught.value)


def test_data_sets_of_every_kind_are_valid_tasks(task):
    validate(task, stream(0, "validate", task.name), problems=4)


def test_a_verdict_is_the_same_again_and_strangers_are_wrong(task):
    problem = task.draw(stream(1, "t"), "train")
    assert [task.verify(problem.query, problem.reference) for _ in range(3)] == [True] * 3
    assert task.reference(problem.query) == problem.reference
    assert not task.verify(problem.query + " ", problem.reference)
    assert not task.verify("What?", problem.reference)


def test_the_global_generators_are_left_as_they_are(task):
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    before, before_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    problem = task.draw(stream(2, "t"), "train")
    task.verify(problem.query, "12")
    task.corrupt(problem, stream(2, "c"))
    assert random.getstate() == before
    after = np.random.get_state()  # noqa: NPY002
    assert before_numpy[2] == after[2]
    assert np.array_equal(before_numpy[1], after[1])


def test_the_key_alone_decides_what_is_drawn(task):
    drawn = [task.draw(stream(i, "t"), "train") for i in range(6)]
    random.seed(99)
    other = ReasoningGym(task.dataset)
    other.draw(stream(77, "t"), "held-out")
    assert [other.draw(stream(i, "t"), "train") for i in range(6)] == drawn
    assert len(set(drawn)) > 3


def test_another_process_draws_the_same():
    assert drawn_elsewhere(1, 4, *QUICK) == drawn_elsewhere(2, 4, *QUICK)


def test_the_split_is_by_the_hash_of_the_query(sums):
    seen = {sums.draw(stream(i, "train"), "train").query for i in range(60)}
    kept = {sums.draw(stream(i, "held-out"), "held-out").query for i in range(60)}
    assert not seen & kept
    assert all(map(is_held_out, kept))
    assert not any(map(is_held_out, seen))
    whole = ReasoningGym("chain_sum", held_out="all")
    drawn = {whole.draw(stream(i, "all"), "held-out").query for i in range(200)}
    assert 10 < sum(map(is_held_out, drawn)) < 80  # binomial: 40 ± 5.7 standard deviations


def test_options_make_another_task():
    task = ReasoningGym("chain_sum", {"min_terms": 2, "max_terms": 2, "max_digits": 1})
    for i in range(20):
        query = task.draw(stream(i, "t"), "train").query
        assert re.search(r": \d [+-] \d =$", query)


def test_a_lower_pass_score_lets_more_answers_through():
    """chain_sum's scorer gives partial marks to an answer in words."""
    lenient = ReasoningGym("chain_sum", pass_score=0.01)
    strict = ReasoningGym("chain_sum")
    problem = strict.draw(stream(0, "t"), "train")
    assert lenient.draw(stream(0, "t"), "train") == problem
    wordy = f"it is {problem.reference}"
    assert not strict.verify(problem.query, wordy)
    assert lenient.verify(problem.query, wordy)
    assert not lenient.verify(problem.query, "none")


def test_the_length_of_an_answer_is_derived_or_set(sums):
    longest = max(len(sums.draw(stream(i, "t"), "train").reference) for i in range(50))
    assert longest < sums.max_answer_characters <= 3 * longest
    assert ReasoningGym("chain_sum", max_answer_characters=99).max_answer_characters == 99


@pytest.mark.parametrize(
    ("task", "complaint"),
    [
        ({"name": "reasoning-gym/chian_sum"}, "got reasoning-gym/chian_sum; did you mean reaso"),
        ({"name": "reasoning-gym/zzz"}, "got reasoning-gym/zzz; 'mgptn tasks' lists them"),
        ({"name": "reasoning-gym/boxnet"}, "boxnet, which has no reference answers"),
        ({"name": "reasoning-gym/composite"}, "composite, which mixes other data sets"),
        ({"name": "reasoning-gym/knight_swap"}, "PYTHONHASHSEED=0 in the environment for"),
        ({"options": {"max_term": 3}}, "task.options.max_term: expected an option of reasoning-"),
        ({"options": {"max_term": 3}}, "; did you mean max_terms?"),
        ({"options": {"max_terms": "few"}}, "task.options.max_terms: expected a valid integer"),
        ({"options": {"max_terms": 0}}, "task.options: expected options that reasoning-gym/chai"),
        ({"options": {"size": 0}}, "task.options: expected options"),
    ],
)
def test_what_cannot_be_had_is_named(task, complaint):
    assert complaint in refused(**{"name": "reasoning-gym/chain_sum", **task})


def test_every_fault_of_the_options_is_named_at_once():
    said = refused(name="reasoning-gym/chain_sum", options={"max_terms": [], "terms": 3})
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "task.options.max_terms",
        "task.options.terms",
    ]


@pytest.mark.parametrize(
    ("task", "complaint"),
    [
        ({"size": 3}, "task.size: expected nothing here for the task reasoning-gym/maze, got 3"),
        ({"file": "x"}, "task.file: expected nothing here for the task reasoning-gym/maze"),
        ({"pass_score": 0}, "task.pass_score: expected greater than 0, got 0"),
        ({"options": 3}, "task.options: expected a valid dictionary, got 3"),
        ({"name": PREFIX}, "task.name: expected 'addition', "),
    ],
)
def test_a_setting_that_is_not_for_a_data_set_is_refused(task, complaint):
    with pytest.raises(ConfigError) as caught:
        configured(**{"name": "reasoning-gym/maze", **task})
    assert complaint in str(caught.value)


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)  # as where it is not installed
    said = refused(name="reasoning-gym/maze")
    assert "reasoning_gym" in said
    assert "pip install -c constraints.txt -e '.[tasks]'" in said


def test_mgptn_does_not_import_the_libraries_unasked():
    code = (
        "import sys, mgptn.experiments.config.run_config, mgptn.experiments.setting.stage\n"
        "from mgptn.experiments.setting.tasks import make_task\n"
        "from mgptn.experiments.config.sections.task import TaskConfig\n"
        "make_task(TaskConfig())\n"
        "print([n for n in ('reasoning_gym', 'math_verify', 'sympy') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "reasoning_gym" not in done.stdout
    assert "math_verify" not in done.stdout


# What a model writes is not run


HOSTILE = (
    "__import__('os').system('touch RAN')",
    "[c for c in ().__class__.__base__.__subclasses__()]",
    "open('RAN', 'w')",
    "(lambda: open('RAN', 'w'))()",
    "9**9**9**9",
    "exec(\"open('RAN','w')\")",
)


@pytest.mark.parametrize("name", [*EVALUATING, *ARITHMETIC, *ALGEBRA])
def test_no_answer_is_run(name, tmp_path, monkeypatch):
    if name in HASHED and sys.flags.hash_randomization:
        assert not any(is_safe(name, answer) for answer in HOSTILE)
        return
    monkeypatch.chdir(tmp_path)
    task = ReasoningGym(name)
    problem = task.draw(stream(0, "t"), "train")
    for answer in HOSTILE:
        assert not task.verify(problem.query, answer)
    assert not list(tmp_path.iterdir())


def test_every_scorer_that_evaluates_is_known():
    """A scan of the installed library: a new version may bring further ones."""
    package = Path(sys.modules["reasoning_gym"].__file__).parent
    evaluating = {
        path.stem
        for path in package.rglob("*.py")
        if re.search(r"\b(eval|exec|parse_expr|sympify)\(\w*answer", path.read_text())
    }
    assert evaluating == {*EVALUATING, *ARITHMETIC, *ALGEBRA}


@pytest.mark.parametrize(
    "formula",
    [
        "x**3/3 + C",
        "-(x - 2)**2*exp(-3*x)/4 + C",
        "2*x**(3/2)/3",
        "log(x) + atan(x)",
        "3*x*y + 2.5*sin(2*x)**2",
        "2*Integral(x*cos(3*x), x) + C",
    ],
)
def test_a_formula_is_safe(formula):
    assert is_safe("simple_integration", formula)


@pytest.mark.parametrize(
    "formula",
    [
        "x.subs(1, 2)",
        "lambda: 1",
        "x**999",
        "9**9**9",
        "(9**9)**9",
        "((9**99))**99",
        "preview(x)",
        "__x",
        "x" + "+1" * 1000,
        "ｘ",
    ],
)
def test_what_is_more_than_a_formula_is_not(formula):
    assert not is_safe("simple_integration", formula)


@functools.cache
def drawn_from(name):
    """A task, and a problem of it."""
    task = ReasoningGym(name)
    return task, task.draw(stream(0, "t"), "train")


@pure
@given(st.sampled_from(QUICK), st.text())
@example("countdown", "\ud800")
@example("countdown", "9" * 5000)
@example("n_queens", "[" * 500)
def test_any_text_may_be_asked_about(name, text):
    task, problem = drawn_from(name)
    assert task.verify(problem.query, text) in (True, False)
    assert task.verify(text, problem.reference) is False


class RaisesOnTheRight(ReasoningGym):
    """A data set whose scorer fails on its own references."""

    def __init__(self):
        super().__init__("chain_sum")
        score = self._library.score_answer

        def broken(answer, entry):
            if answer == entry["answer"]:
                raise KeyError("metadata")
            return score(answer, entry)

        self._library.score_answer = broken


def test_validation_catches_a_scorer_that_raises_on_the_reference():
    with pytest.raises(AssertionError, match="rejects its own reference"):
        validate(RaisesOnTheRight(), stream(0, "validate"), problems=1)


# All of them


def test_the_lists_of_peculiar_data_sets_name_data_sets():
    names = dataset_names()
    assert len(names) > 90
    assert set(HASHED) <= set(names)
    assert not set(UNUSABLE) & set(names)
    for name in UNUSABLE:
        with pytest.raises(ValueError, match=f"got reasoning-gym/{name}, which "):
            check_dataset(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", dataset_names())
def test_every_data_set_is_a_valid_task(name):
    """Those that depend on the hash seed are put to the proof in a process without one."""
    code = (
        "import sys\n"
        "from mgptn.population.draws.streams import stream\n"
        "from mgptn.protocols.tasks.reasoning_gym import ReasoningGym\n"
        "from mgptn.protocols.tasks.task import validate\n"
        "validate(ReasoningGym(sys.argv[1]), stream(0, 'validate', sys.argv[1]), problems=3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in dataset_names() if name not in HASHED])
def test_every_data_set_is_the_same_in_every_process(name):
    assert drawn_elsewhere(1, 8, name) == drawn_elsewhere(2, 8, name)


def test_a_problem_drawn_twice_keeps_its_first_answer(sums):
    problem = sums.draw(stream(5, "t"), "train")
    assert sums.draw(stream(5, "t"), "train") == problem
    assert isinstance(problem, Problem)


def test_a_sentence_says_its_number_in_a_chat(sums):
    config = check_config({"name": "t", "task": {"name": f"{PREFIX}chain_sum"}}).task
    talking = make_task(config, talks=True).task
    problem = talking.draw(stream(3, "t"), "held-out")
    right, wrong = int(problem.reference), int(problem.reference) + 1
    said = f"The final answer is {right}. \n\nThis is a classic problem of 2 steps."
    assert talking.verify(problem.query, said)
    assert talking.verify(problem.query, str(right))
    assert talking.counted(problem.query, said) == str(right)
    assert not talking.verify(problem.query, said.replace(str(right), str(wrong)))
    assert not talking.verify(problem.query, f"<think>{right}</think>It is {wrong}.")
    plain = make_task(config).task
    plain.draw(stream(3, "t"), "held-out")
    assert not plain.verify(problem.query, said)
    assert plain.counted(problem.query, said) is None
    assert talking.max_answer_characters > plain.max_answer_characters
