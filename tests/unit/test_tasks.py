"""Tasks: a verifier that can be trusted, and a split that nothing crosses."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from population.streams import stream
from protocols.table import TASKS
from protocols.tasks.addition import HELD_OUT_SHARE, Addition
from protocols.tasks.task import Problem, validate

pure = settings(deadline=None, max_examples=150)
widths = st.integers(1, 6)


class AcceptsAnything(Addition):
    """A verifier that says yes."""

    def verify(self, query, answer):
        return True


class RejectsCarries(Addition):
    """A verifier that is wrong about sums with a carry out of the last place."""

    def verify(self, query, answer):
        return not answer.endswith("1") and super().verify(query, answer)


class ForgetsZeros(Addition):
    """A verifier that reads numbers, so that it takes other texts for the right one."""

    def verify(self, query, answer):
        right = self.render_answer(sum(int(part) for part in query[:-1].split("+")))
        return answer.rstrip("0") == right.rstrip("0")

    def corrupt(self, problem, rng):
        return problem.reference + "0"


class WritesTooMuch(Addition):
    """A task whose references are longer than it declares."""

    def __init__(self, size):
        super().__init__(size)
        self.max_answer_characters = size


@pytest.mark.parametrize(
    ("name", "size"),
    [
        (name, size)
        for name, task in TASKS.items()
        for size in sorted({*task.sizes[:3], task.default_size, *task.sizes[-3:]})
    ],
)
def test_every_task_is_valid(name, size):
    validate(TASKS[name](size), stream(0, "validate", name, size))


@pytest.mark.parametrize("name", list(TASKS))
def test_every_task_says_its_name_and_sizes(name):
    task = TASKS[name]
    assert task.name == name
    assert task.default_size in task.sizes
    assert all(size > 0 for size in task.sizes)
    with pytest.raises(ValueError, match=r"task\.size: expected .*, got -1"):
        task(-1)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (AcceptsAnything, "accepts the corruption"),
        (RejectsCarries, "rejects its own reference"),
        (ForgetsZeros, "accepts the corruption"),
        (WritesTooMuch, "is longer than max_answer_characters=2"),
    ],
)
def test_validation_catches_a_broken_task(broken, complaint):
    with pytest.raises(AssertionError, match=complaint):
        validate(broken(2), stream(0, "validate"))


def test_the_answer_is_the_reversed_padded_sum():
    task = Addition(2)
    assert (task.query(17, 25), task.render_answer(42)) == ("17+25=", "240")
    assert task.query(0, 7) == "00+07="
    assert task.verify("17+25=", "240")
    assert task.verify("99+99=", "891")
    assert task.verify("00+00=", "000")
    for wrong in ("42", "24", "042", "2400", " 240", "240 ", "240;", "", "420"):
        assert not task.verify("17+25=", wrong)


@pure
@given(widths, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 2 * 10**6))
def test_exactly_one_answer_is_right(digits, a, b, claimed):
    task = Addition(digits)
    a, b, claimed = a % task.bound, b % task.bound, claimed % (2 * task.bound)
    query = task.query(a, b)
    assert len(query) == 2 * digits + 2
    assert task.verify(query, task.render_answer(claimed)) == (claimed == a + b)
    assert len(task.render_answer(a + b)) == task.max_answer_characters


@pure
@given(widths, st.text(), st.text())
@example(2, "1+2", "³")
@example(2, "²+1=", "3")
@example(2, "١+٢=", "300")
@example(2, "+=", "")
@example(2, "\ud800+1=", "\ud800")
def test_any_text_may_be_asked_about(digits, query, answer):
    task = Addition(digits)
    assert task.verify(query, answer) in (True, False)
    assert not task.verify("17+25=", answer) or answer == task.render_answer(42)
    assert isinstance(task.canonical(query), str)


def test_a_query_of_thousands_of_digits_may_be_asked_about():
    assert not Addition(2).verify("9" * 5000 + "+1=", "0")


@pure
@given(widths, st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_split_does_not_see_the_order_of_the_operands(digits, a, b):
    task = Addition(digits)
    a, b = a % task.bound, b % task.bound
    one, other = task.held_out(np.array([[a, b], [b, a]]))
    assert one == other
    assert task.canonical(task.query(a, b)) == task.canonical(task.query(b, a))


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_the_split_is_a_partition_with_the_declared_share(digits):
    """The hash is fixed, so the share is a fact: within 4 points of 20 % for one digit."""
    task = Addition(digits)
    numbers = np.arange(task.bound)
    pairs = np.stack(np.meshgrid(numbers, numbers), axis=-1).reshape(-1, 2)
    held_out = task.held_out(pairs)
    tolerance = {1: 0.15, 2: 0.02, 3: 0.002}[digits]
    assert held_out.mean() == pytest.approx(HELD_OUT_SHARE, abs=tolerance)
    rng = stream(1, "problems")
    assert not task.held_out(task.draw_pairs(rng, 500, "train")).any()
    assert task.held_out(task.draw_pairs(rng, 500, "held-out")).all()


@pytest.mark.parametrize("digits", [1, 2, 6])
def test_a_training_problem_is_never_held_out(digits):
    task = Addition(digits)
    rng = stream(2, "problems")
    seen = {task.canonical(task.draw(rng, "train").query) for _ in range(300)}
    kept = {task.canonical(task.draw(rng, "held-out").query) for _ in range(300)}
    assert not seen & kept


def test_the_same_stream_draws_the_same_problems():
    task = Addition(3)
    drawn = [[task.draw(stream(3, "p", i), "train") for i in range(20)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 15


@pure
@given(widths, st.integers(0, 2**32), st.integers(0, 2 * 10**6))
def test_a_corruption_is_wrong_and_in_the_right_form(digits, seed, total):
    task = Addition(digits)
    right = task.render_answer(total % (2 * task.bound - 1))
    wrong = task.corrupt(Problem("", right), stream(seed, "corrupt"))
    assert wrong != right
    assert len(wrong) == len(right)
    assert wrong.isdigit()


@pytest.mark.parametrize("digits", [0, 7, -1])
def test_other_widths_are_refused(digits):
    with pytest.raises(ValueError, match=rf"task.size: expected 1 to 6, got {digits}"):
        Addition(digits)
