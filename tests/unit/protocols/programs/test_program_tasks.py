"""Tasks about programs: what hidden cases decide, what tests are worth, and what is faster."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.bundled import NEAR, PERSISTENT, RANDOM, text
from mgptn.protocols.tasks.programs.behaviours import PAIRS, behaviours
from mgptn.protocols.tasks.programs.both import (
    CodeAndTests,
    program_spec,
    question_for_program,
    question_for_test,
)
from mgptn.protocols.tasks.programs.cases import Case, passes, read_case, read_spec, spec_text
from mgptn.protocols.tasks.programs.language import run
from mgptn.protocols.tasks.programs.mutants import mutants_of
from mgptn.protocols.tasks.programs.specs import MOST
from mgptn.protocols.tasks.programs.speed import Speed, instructions, saved
from mgptn.protocols.tasks.programs.testing import Tests, is_shown
from mgptn.protocols.tasks.programs.writing import Programs

SUM = "03:3|27:9|66:2|90:9"


def test_hidden_cases_decide():
    task = Programs(2)
    problems = task.draw_batch(stream(0, "programs"), 30, "held-out")
    for query, reference in zip(task.render(problems.fields), problems.references, strict=True):
        query, reference = text(query), text(reference)
        spec = read_spec(query[:-1])
        assert all(passes(reference, case) for case in spec)
        for pair in PAIRS.tolist():  # whatever computes the same is as right, and nothing else
            assert run(reference + "..", pair) == run(reference, pair)
        assert task.verify(query, reference)
        assert not task.verify(query, reference + "dp")  # too long


def test_wrong_programs_are_wrong_each_in_its_way():
    task = Programs(3)
    rng = stream(0, "mistakes")
    problems = task.draw_batch(rng, 120, "train")
    specs = [read_spec(text(query)[:-1]) for query in task.render(problems.fields)]

    def failed(kind):
        wrong = task.corrupt_batch(rng, problems, np.full(120, kind))
        return [
            sum(not passes(text(one), case) for case in spec)
            for one, spec in zip(wrong, specs, strict=True)
        ], wrong

    near, _ = failed(NEAR)
    assert min(near) >= 1
    assert np.mean(np.array(near) == 1) > 0.5
    special, _ = failed(PERSISTENT)
    assert np.mean(np.array(special) == 0) > 0.2  # they pass all that is shown
    any_kind, wrong = failed(RANDOM)
    assert np.mean(any_kind) > 2
    assert 0.1 < np.mean([run(text(one), (1, 2)).end != "done" for one in wrong]) < 0.4


def test_a_size_is_the_length_of_the_shortest_program():
    for size in (2, 3, 4):
        task = Programs(size)
        problem = task.draw(stream(1, "sizes"), "train")
        assert len(task.shortest(problem.query)) == size
        for other in {2, 3, 4} - {size}:
            assert Programs(other).parse(problem.query) is None


def test_a_spec_is_read_as_it_is_written_or_not_at_all():
    assert spec_text(read_spec(SUM)) == SUM
    assert read_spec(SUM.replace("03:3|27:9", "27:9|03:3")) is None  # not in order
    assert read_spec(SUM[:-5]) is None
    assert read_spec(SUM.replace("03:3", "03.:")) is None
    assert read_case("12:3..") == Case(1, 2, 3)
    assert read_case("1:23") is read_case("12:") is None


# Tests.


def test_a_test_is_new_valid_and_kills():
    task = Tests(2)
    rng = stream(0, "tests")
    for _ in range(5):
        problem = task.draw(rng, "train")
        spec, _, program = problem.query.removesuffix("=").partition("/")
        reference = task.shortest(problem.query)
        seen = set()
        for a, b in PAIRS.tolist():
            case = Case(a, b, run(reference, (a, b)).result)
            kills = not passes(program, case)
            right = kills and not is_shown(spec, case)
            assert task.verify(problem.query, case.text) == right
            off = Case(a, b, (case.result + 1) % 10)
            assert not task.verify(problem.query, off.text)
            seen.add(right)
        assert seen == {True, False}


def test_what_a_test_is_worth_is_the_mutants_that_it_kills():
    task = Tests(2)
    problem = task.draw(stream(2, "worth"), "train")
    reference = task.shortest(problem.query)
    made = mutants_of(reference)
    assert len(made.programs) > 30
    for a, b in ((1, 2), (7, 3), (0, 0)):
        case = Case(a, b, run(reference, (a, b)).result)
        killed = np.mean([not passes(text(mutant), case) for mutant in made.programs])
        assert task.worth(problem.query, case.text) == pytest.approx(killed)
        assert task.worth(problem.query, Case(a, b, (case.result + 1) % 10).text) == 0.0
        assert 0.0 < task.coverage(problem.query, case.text) <= 1.0
    assert task.worth(problem.query, "nonsense") == task.coverage(problem.query, "nonsense") == 0.0


def test_mutants_do_something_else_and_are_a_word_away():
    made = mutants_of("d+")
    texts = {text(one).rstrip(".") for one in made.programs}
    assert {"d-", "+", "d", "2d+", "d+h"} <= texts
    assert not {"d+", "d+d", "@d+"} & texts  # the same, and what is killed by anything
    assert all(abs(len(one) - 2) <= 1 for one in texts)


def test_both_kinds_of_questions_are_told_apart():
    task = CodeAndTests(2)
    problems = task.draw_batch(stream(0, "both"), 200, "train")
    queries = [text(query) for query in task.render(problems.fields)]
    programs = [query for query in queries if program_spec(query) is not None]
    assert 60 < len(programs) < 140
    spec = program_spec(programs[0])
    assert question_for_program(spec) == programs[0]
    assert program_spec(question_for_test(spec, "+")) is None
    assert Programs(2).verify(spec + "=", task.reference(programs[0]))


# Speed.


def test_faster_is_fewer_instructions_of_the_same():
    assert instructions("+.....") == 100
    assert instructions("ss+...") == 300
    assert instructions("p") == 100
    assert instructions("pp") is instructions("@") is instructions("") is instructions("q") is None
    assert saved("ss+...", "+.....") == pytest.approx(2 / 3)
    assert saved("+.....", "ss+...") == 0.0
    assert saved("+.....", "@") == 0.0


def test_what_is_to_be_made_faster_can_be():
    task = Speed(3)
    problems = task.draw_batch(stream(0, "speed"), 60, "held-out")
    for query, reference in zip(task.render(problems.fields), problems.references, strict=True):
        program = text(query)[:-1]
        assert task.verify(text(query), program)  # as it is, it is right, and saves nothing
        assert saved(program, text(reference)) > 0.1
        assert saved(program, program) == 0.0


def test_a_behaviour_is_in_one_split():
    keys = behaviours(MOST).keys
    assert len(np.unique(keys)) == len(keys)
