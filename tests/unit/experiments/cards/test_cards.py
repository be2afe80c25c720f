"""Cards without a model: exams, estimates, references by theory, and the file's format."""

# SPDX-License-Identifier: Apache-2.0

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.training.corpus import MIXTURE, PERSONA_SKILLS, SKILLS
from mgptn.experiments.cards.adaptation import bayes_error
from mgptn.experiments.cards.answering import falls, level_error, persona_error
from mgptn.experiments.cards.card import (
    SCHEMA_VERSION,
    Card,
    CardError,
    Provenance,
    Settings,
    read_card,
    write_card,
)
from mgptn.experiments.cards.estimates import (
    DIFFERENCE,
    clustered_mean,
    difference,
    distance,
    inverse,
    left_out,
    proportion,
)
from mgptn.experiments.cards.exam import (
    KINDS,
    chance,
    corpus_answers,
    dealt,
    draw_contexts,
    exactly,
    held_out_exam,
    kinds_of,
)
from mgptn.experiments.cards.exchange import mean_phi
from mgptn.experiments.cards.grading import rates
from mgptn.experiments.cards.parts import Estimate
from mgptn.experiments.cards.request import parse_tasks
from mgptn.population.draws.streams import stream
from mgptn.population.intervals.shares import wilson
from mgptn.protocols.scale import LEVELS, RATERS
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import NEAR, PERSISTENT, text


def tasks():
    return [TASKS[name](size) for name, size in MIXTURE]


def called(task):
    return f"{task.name}:{task.size}"


# Exams


@pytest.mark.parametrize("task", tasks(), ids=called)
def test_an_exam_has_each_problem_once_and_all_held_out(task):
    exam, everything = held_out_exam(task, 300, stream(0, "test"))
    assert len(set(exam.queries)) == len(exam) == 300
    assert not everything
    assert task.held_out(exam.problems.fields).all()
    assert [text(row) for row in task.render(exam.problems.fields)] == list(exam.queries)
    assert exam.right([text(row) for row in exam.problems.references]).all()


def test_where_there_are_fewer_problems_the_exam_has_them_all():
    task = TASKS["addition"](1)
    exam, everything = held_out_exam(task, 1000, stream(0, "test"))
    pairs = np.array([(a, b) for a in range(10) for b in range(10)])
    assert everything
    assert len(exam) == task.held_out(pairs).sum()


@pytest.mark.parametrize("task", tasks(), ids=called)
def test_right_is_what_the_verifier_says(task):
    rng = stream(1, "test")
    exam, _ = held_out_exam(task, 60, rng)
    answers, right = corpus_answers(exam, rng)
    odd = ("", "0" * 20, "é" * task.max_answer_characters, answers[3][:-1], *answers[4:])
    for said in (answers, odd):
        padded = (*said, *answers)[: len(exam)]
        verified = [task.verify(q, a) for q, a in zip(exam.queries, padded, strict=True)]
        assert exam.right(padded).tolist() == verified
    assert exam.right(answers).tolist() == right.tolist()


@pytest.mark.parametrize("task", tasks(), ids=called)
def test_errors_are_recognised_by_their_kind(task):
    rng = stream(2, "test")
    exam, _ = held_out_exam(task, 120, rng)
    for kind, name in ((PERSISTENT, "persistent"), (NEAR, "near")):
        wrong = task.mistake(rng, exam.problems, np.full(len(exam), kind))
        answers = [text(row) for row in wrong]
        found = kinds_of(exam, answers, rng)[~exam.right(answers)]
        assert np.isin(found, KINDS[: KINDS.index(name) + 1]).all()
    nonsense = ["?" * task.max_answer_characters] * len(exam)
    assert (kinds_of(exam, nonsense, rng) == "other").all()


def test_answers_of_several_lengths_are_judged_where_a_task_has_them():
    exam, _ = held_out_exam(TASKS["walks"](6), 100, stream(0, "test"))
    right = [exam.task.reference(query) for query in exam.queries]
    assert len(set(map(len, right))) > 1
    assert exam.right(right).all()
    assert not exam.right([answer + answer[-1] for answer in right]).any()
    for wrong in ("", "x", "é"):
        assert not exam.right([wrong] * len(exam)).any()


def test_chance_is_what_random_answers_get():
    """4000 draws, 5 standard errors: false alarm 6e-7."""
    for name, size, share in (("indivisible", 7, 0.857), ("indivisible", 3, 2 / 3)):
        exam, _ = held_out_exam(TASKS[name](size), 1900, stream(0, "test"))
        assert chance(exam, stream(1, "test")) == pytest.approx(share, abs=5 * 0.011)
    exam, _ = held_out_exam(TASKS["addition"](2), 1000, stream(0, "test"))
    assert chance(exam, stream(1, "test")) < 0.02


def test_contexts_have_just_so_many_wrong_examples():
    task, rng = TASKS["composition"](2), stream(3, "test")
    contexts = draw_contexts(task, rng, exactly(rng, 20, 8, 3))
    wrong = [[not task.verify(q, a) for q, a in context] for context in contexts]
    assert [sum(row) for row in wrong] == [3] * 20
    assert len({tuple(row) for row in wrong}) > 1  # in any places
    assert draw_contexts(task, rng, exactly(rng, 2, 0, 0)) == ((), ())


def test_problems_are_dealt_in_blocks_as_equal_as_can_be():
    places = dealt(100, 3)
    assert (np.diff(places) >= 0).all()
    assert np.bincount(places).tolist() == [34, 33, 33]


# References


def test_bayes_after_no_example_is_the_priors_mean_and_a_persona_shifts_it():
    assert bayes_error(0, 0) == pytest.approx(0.5)
    assert persona_error(None) == pytest.approx(0.5)
    assert persona_error("careful") == pytest.approx(0.35)
    assert persona_error("careful") + persona_error("careless") == pytest.approx(1.0)
    assert set(PERSONA_SKILLS) == {"careful", "careless"}


def test_bayes_after_examples_is_what_simulated_writers_do():
    """40 000 writers; those who err 3 times in 4 err next as Bayes says, within 5 standard errors:
    false alarm 6e-7."""
    rng = stream(0, "test")
    skill = rng.choice(SKILLS, size=40_000)
    shown = rng.random((4, skill.size)) >= skill
    after = rng.random(skill.size) >= skill
    like = shown.sum(axis=0) == 3
    assert after[like].mean() == pytest.approx(
        bayes_error(4, 3), abs=5 * 0.5 / math.sqrt(like.sum())
    )


def test_bayes_for_a_requested_level_is_what_simulated_raters_do():
    """Within 5 standard errors at each level: false alarm 3e-6."""
    rng = stream(0, "test")
    size = 100_000
    right = rng.random(size) < rng.choice(SKILLS, size=size)
    given = np.array(RATERS)[rng.integers(0, 2, size=size)]
    level = (rng.random((size, 1)) > given.cumsum(axis=1)[:, :-1]).sum(axis=1)
    level = np.where(right, level, 4 - level)
    for i, name in enumerate(LEVELS):
        at = level == i
        assert (~right[at]).mean() == pytest.approx(
            level_error(name), abs=5 * 0.5 / math.sqrt(at.sum())
        )
    assert all(level_error(a) > level_error(b) for a, b in pairwise(LEVELS))


# Estimates


def test_a_proportion_is_wilsons():
    estimate = proportion(np.arange(20) < 3)
    assert (estimate.value, estimate.n, estimate.count) == (0.15, 20, 3)
    assert (estimate.low, estimate.high) == pytest.approx(wilson(3, 20), abs=1e-6)


def test_what_is_undefined_has_a_reason_and_no_value():
    estimate = proportion([], "no wrong answer")
    assert estimate.value is None
    assert estimate.note == "undefined: no wrong answer"
    never = np.stack([np.zeros(9), np.arange(9) % 2], axis=1)
    assert left_out(never, mean_phi, "one grader never errs", DIFFERENCE).value is None


def test_a_grader_that_accepts_no_wrong_answer_has_an_infinite_ratio_with_a_bound():
    grades = np.r_[np.full(30, 0.9), np.full(10, 0.1)]
    found = rates(grades, np.arange(40) < 30, 0.6)
    assert found.youden_j.value == 1.0
    assert found.likelihood_ratio.value is None
    assert found.likelihood_ratio.note.startswith("infinite")
    assert 2.0 < found.likelihood_ratio.low < 5.0
    assert 0.5 < found.youden_j.low < found.youden_j.high == 1.0
    assert found.balanced_accuracy.value == 1.0


def test_a_ratios_interval_holds_it():
    rng = stream(0, "test")
    right = np.arange(400) < 200
    grades = np.where(rng.random(400) < np.where(right, 0.8, 0.3), 0.9, 0.1)
    found = rates(grades, right, 0.6).likelihood_ratio
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(
        (grades[right] > 0.5).mean() / (grades[~right] > 0.5).mean(), rel=1e-4
    )


def test_a_difference_of_proportions_has_newcombes_interval():
    """Newcombe 1998, table II, rows a and g: 56/70 and 48/80, 10/10 and 0/10."""
    for (a, m, b, n), (low, high) in (
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ):
        found = difference(proportion(np.arange(m) < a), proportion(np.arange(n) < b), "")
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from((0.1, 0.7, 0.9)), st.booleans()), min_size=2))
def test_no_interval_is_of_width_zero(graded):
    grades, right = (np.array(of) for of in zip(*graded, strict=True))
    found = rates(grades, right.astype(bool), 0.6)
    table = np.stack([grades, right], axis=1)
    shares = [left_out(table[:, i], lambda x: float(x.mean()), "", (0.0, 1.0)) for i in (0, 1)]
    clustered = clustered_mean(grades, np.arange(len(grades)) // 2, "")
    for one in (*shares, clustered, found.youden_j, found.balanced_accuracy, found.tpr):
        assert one.low is None or one.low < one.high
        assert one.low is None or one.value is None or one.low <= one.value <= one.high


def test_inverse_and_distance_turn_bounds_round():
    estimate = Estimate(value=0.5, low=0.25, high=1.0, n=7)
    assert inverse(estimate, "") == Estimate(value=2.0, low=1.0, high=4.0, n=7)
    assert distance(estimate, 0.4) == Estimate(value=0.1, low=0.0, high=0.6, n=7)
    assert distance(estimate, 0.1).low == pytest.approx(0.15)


def test_clusters_that_are_all_alike_widen_an_interval():
    rng = stream(0, "test")
    values = np.repeat(rng.integers(0, 2, size=20), 50).astype(float)
    of_one = clustered_mean(values, np.arange(1000), "")
    of_fifty = clustered_mean(values, np.repeat(np.arange(20), 50), "")
    assert of_one.value == of_fifty.value
    assert of_fifty.high - of_fifty.low > 4 * (of_one.high - of_one.low)


def test_a_mean_over_clusters_leaves_out_what_is_not_there():
    values = np.array([1.0, np.nan, 0.0, np.nan])
    found = clustered_mean(values, np.array([0, 0, 1, 2]), "none")
    assert (found.value, found.n) == (0.5, 2)


def test_falling_is_from_each_to_the_next():
    errors = [Estimate(value=v, n=1) for v in (0.9, 0.5, 0.1)]
    assert falls(errors)
    assert not falls([errors[0], errors[0], errors[2]])


# The file


@pytest.fixture
def card() -> Card:
    return Card(
        schema_version=SCHEMA_VERSION,
        provenance=Provenance(
            model="gpt-1/0",
            weights="ab" * 32,
            rung="gpt-1",
            parameters=5,
            context_tokens=256,
            command="mgptn models measure gpt-1/0",
            versions={"python": "3.11"},
        ),
        settings=Settings(problems=64, seed=0, graders={}),
        tasks={},
        absent={"addition:2": "the model has no tokens for +"},
    )


def test_a_card_comes_back_as_it_was_written(card: Card, tmp_path: Path):
    path = tmp_path / "card.json"
    write_card(card, path)
    assert read_card(path) == card
    before = path.read_bytes()
    write_card(read_card(path), path)
    assert path.read_bytes() == before
    json.loads(before)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop("settings"), "settings: field required"),
        (lambda c: c["settings"].update(problems="many"), "settings.problems: "),
        (lambda c: c["provenance"].update(colour="blue"), "provenance.colour: "),
        (lambda c: c.update(schema_version=99), f"schema_version: expected {SCHEMA_VERSION}"),
        (lambda c: c["tasks"].update({"addition:2": {}}), "tasks.addition:2.task: "),
    ],
)
def test_a_malformed_card_names_file_and_field(card: Card, tmp_path: Path, change, said: str):
    path = tmp_path / "card.json"
    write_card(card, path)
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(CardError) as caught:
        read_card(path)
    assert str(caught.value).startswith(f"{path}: {said}")


def test_a_card_cut_off_is_named(tmp_path: Path):
    path = tmp_path / "card.json"
    path.write_text('{"schema')
    with pytest.raises(CardError, match=r"card\.json: expected a card in JSON"):
        read_card(path)


def test_tasks_are_named_as_in_the_corpus():
    assert parse_tasks([]) == tuple(MIXTURE)
    assert parse_tasks(["facts:12", "facts:12"]) == (("facts", 12),)
    with pytest.raises(CardError, match=r"--task: expected one of addition:2.*'adition:2'"):
        parse_tasks(["adition:2"])
