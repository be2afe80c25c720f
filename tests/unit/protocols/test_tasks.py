"""Tasks: a verifier that can be trusted, and a split that nothing crosses."""

# SPDX-License-Identifier: Apache-2.0

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.markers import CHARACTERS, END
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.arithmetic import Addition
from mgptn.protocols.tasks.budgeted.cups import Cups
from mgptn.protocols.tasks.budgeted.walks import Walks
from mgptn.protocols.tasks.bundled import HELD_OUT_SHARE, NEAR, PERSISTENT, RANDOM, codes, text
from mgptn.protocols.tasks.composition import (
    FUNCTIONS,
    UNSEEN_PAIRS,
    Composition,
    UnseenComposition,
    unseen_compositions,
)
from mgptn.protocols.tasks.facts import Facts, fact_table
from mgptn.protocols.tasks.indivisible import Indivisible
from mgptn.protocols.tasks.subset_sum import LEFT_OUT, SubsetSum
from mgptn.protocols.tasks.task import Problem, validate

pure = settings(deadline=None, max_examples=150)
ALL_OF = 7
"""A task with no more sizes is tried at all of them, one with more at a few that tell most."""

TELLING = (3, 19)
"""Beside the first and the last size: one that models are trained on, and one that an int64 has no
room for.
"""

IN_WORDS = "-*^?@vopnrsd/"
OF_PROGRAMS = ("programs", "tests", "code-and-tests", "speed")
ONE_IS_SLOW = ("proofs", "detachment", *OF_PROGRAMS)

BEYOND_THE_LADDER = {
    "subtraction": "-",
    "multiplication": "x",
    "walks": "@i",
    "cups": "@ijo",
    "scribbled-walks": "@i",
    **dict.fromkeys(OF_PROGRAMS, IN_WORDS),
}
"""Characters that the ladder has no tokens for: it is refused these tasks, never asked them."""


def tried(sizes):
    """The sizes of a task that its tests try."""
    telling = {sizes[0], *TELLING, sizes[-1]}
    return [size for size in sizes if len(sizes) <= ALL_OF or size in telling]


EVERY = [(name, size) for name, task in TASKS.items() for size in tried(task.sizes)]
every_task = pytest.mark.parametrize(("name", "size"), EVERY)


def drawn(task, count=300, split="train", key=0):
    """Problems of a task with their queries as strings."""
    rng = stream(key, "tasks", task.name, task.size)
    problems = task.draw_batch(rng, count, split)
    return problems, [text(row) for row in task.render(problems.fields)], rng


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
        return answer.rstrip("0") == self.reference(query).rstrip("0")

    def corrupt(self, problem, rng):
        return problem.reference + "0"


class WritesTooMuch(Addition):
    """A task whose references are longer than it declares."""

    def __init__(self, size):
        super().__init__(size)
        self.max_answer_characters = size


@every_task
def test_every_task_is_valid(name, size):
    # One at a time, wide numbers are slow, and so are programs, and formulas with proofs.
    problems = 200 if size <= 12 and name not in ONE_IS_SLOW else 40
    validate(TASKS[name](size), stream(0, "validate", name, size), problems)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (AcceptsAnything, "accepts the corruption"),
        (RejectsCarries, "rejects its own reference"),
        (ForgetsZeros, "accepts the corruption"),
        (WritesTooMuch, "is longer than max_answer_characters=2"),
    ],
)
def test_a_verifier_that_cannot_be_trusted_is_found_out(broken, complaint):
    with pytest.raises(AssertionError, match=f"task addition: .*{complaint}"):
        validate(broken(2), stream(0, "validate"))


@every_task
def test_texts_have_the_declared_form(name, size):
    task = TASKS[name](size)
    problems, queries, _ = drawn(task)
    assert {len(query) for query in queries} == {task.query_characters}
    assert problems.references.shape == (300, task.max_answer_characters)
    known = CHARACTERS.replace(END, "") + BEYOND_THE_LADDER.get(name, "")
    assert set("".join(queries)) <= set(known)
    answers = {text(row) for row in problems.references}
    assert set("".join(answers)) <= set(task.answer_alphabet)
    assert all(query.endswith("=") and query.count("=") == 1 for query in queries)


@every_task
def test_arrays_and_strings_agree_about_right_and_wrong(name, size):
    """The vectorised check against the plain one: right answers, all errors, and each other's."""
    task = TASKS[name](size)
    problems, queries, rng = drawn(task)
    candidates = [problems.references, np.roll(problems.references, 1, axis=0)]
    for kind in (NEAR, RANDOM, PERSISTENT):
        candidates.append(task.corrupt_batch(rng, problems, np.full(300, kind)))
    for answers in candidates:
        plain = [task.verify(q, text(a)) for q, a in zip(queries, answers, strict=True)]
        assert task.right(problems.fields, answers).tolist() == plain
    assert task.right(problems.fields, candidates[0]).all()
    assert not any(task.right(problems.fields, wrong).any() for wrong in candidates[2:])


@every_task
def test_a_query_is_read_back_as_the_problem_it_was(name, size):
    task = TASKS[name](size)
    problems, queries, _ = drawn(task, count=100)
    for query, answer in zip(queries, problems.references, strict=True):
        fields = task.parse(query)
        assert text(task.render(fields)[0]) == query
        assert task.right(fields, answer[None]).all()
        assert task.verify(query, task.reference(query))


@every_task
def test_a_training_problem_is_never_held_out(name, size):
    task = TASKS[name](size)
    _, train, _ = drawn(task, 400, "train")
    _, held_out, _ = drawn(task, 400, "held-out")
    if not isinstance(task, Facts):  # a fact is held out in some phrasings
        assert not {task.canonical(q) for q in train} & {task.canonical(q) for q in held_out}
    assert not set(train) & set(held_out)


OF_OTHERS = ("facts", "tests", "code-and-tests")
"""Tasks whose split is told elsewhere, or that of another task, `programs`."""


@pytest.mark.parametrize("name", [name for name in TASKS if name not in OF_OTHERS])
def test_the_split_has_the_declared_share(name):
    """Of different problems; for each size a false-alarm probability of 1e-6 at most, two-sided,
    by the normal approximation: at most 4.9 standard deviations of 1,500 problems.
    """
    for size in {s for s in TASKS[name].sizes if s in (18, 19)} | {TASKS[name].sizes[-1]}:
        task = TASKS[name](size)
        fields = np.concatenate(
            [task.propose(stream(key, "share"), 8000, "held-out") for key in range(2)]
        )
        _, first = np.unique(task.split_keys(fields), return_index=True)
        assert len(first) > 1500
        allowed = 4.9 * math.sqrt(HELD_OUT_SHARE * (1 - HELD_OUT_SHARE) / len(first))
        share = task.held_out(fields[first]).mean()
        assert share == pytest.approx(HELD_OUT_SHARE, abs=allowed)


@every_task
def test_a_persistent_error_is_the_same_every_time(name, size):
    """Where it is an error at all; elsewhere another takes its place."""
    task = TASKS[name](size)
    problems, _, rng = drawn(task)
    attempts = [task.mistake(rng, problems, np.full(300, PERSISTENT)) for _ in range(3)]
    assert all(np.array_equal(attempts[0], attempt) for attempt in attempts)
    assert (~task.right(problems.fields, attempts[0])).mean() > 0.2


@every_task
@pytest.mark.parametrize("junk", ["", "=", "12+34", "é", "٣+٤=", "0" * 5000, "RP.abcd", "7|=", ";"])
def test_any_text_may_be_asked_about(name, size, junk):
    task = TASKS[name](size)
    _, queries, _ = drawn(task, count=1)
    assert task.verify(junk, junk) is False
    assert task.verify(queries[0], junk) is False
    assert task.verify(junk, task.reference(queries[0])) is False
    with pytest.raises(ValueError, match=f"query: expected one of task {name}"):
        task.reference(junk)


@pytest.mark.parametrize("name", list(TASKS))
def test_other_sizes_are_refused(name):
    sizes = TASKS[name].sizes
    assert TASKS[name].default_size in sizes
    for size in (sizes[0] - 1, sizes[-1] + 1):
        with pytest.raises(ValueError, match=rf"task\.size: expected .*, got {size}"):
            TASKS[name](size)


@every_task
def test_the_same_generator_state_draws_the_same_problem(name, size):
    task = TASKS[name](size)
    streams = [stream(key, "draw") for key in (1, 1, 2)]
    first, again, other = ([task.draw(rng, "held-out") for _ in range(5)] for rng in streams)
    assert first == again
    assert first != other


# Addition.


@pure
@given(st.integers(1, 48), st.data())
def test_exactly_one_answer_to_a_sum_is_right(size, data):
    task = Addition(size)
    a, b, claimed = (data.draw(st.integers(0, 10**size - 1)) for _ in range(3))
    claimed = data.draw(st.sampled_from([claimed, a + b]))
    query = f"{a:0{size}d}+{b:0{size}d}="
    written = f"{claimed:0{size + 1}d}"[::-1]
    assert task.verify(query, written) == (claimed == a + b)
    assert not task.verify(query, written + "0")


def test_a_sum_is_written_backwards():
    assert Addition(2).reference("17+25=") == "240"
    assert Addition(2).reference("00+07=") == "700"


@pure
@given(st.integers(1, 48), st.data())
def test_the_split_does_not_see_the_order_of_the_operands(size, data):
    a, b = (data.draw(st.integers(0, 10**size - 1)) for _ in range(2))
    task = Addition(size)
    one, other = (f"{x:0{size}d}+{y:0{size}d}=" for x, y in ((a, b), (b, a)))
    assert task.split_keys(task.parse(one)) == task.split_keys(task.parse(other))
    assert task.canonical(one) == task.canonical(other)


def test_the_persistent_error_of_addition_is_a_wrong_carry():
    task = Addition(2)
    for query, wrong in (("17+25=", "230"), ("11+11=", "230"), ("99+99=", "881")):
        problems = task.draw_batch(stream(0, "x"), 1, "train")
        problems = type(problems)(task.parse(query), codes(task.reference(query))[None])
        answer = task.mistake(stream(0, "x"), problems, np.array([PERSISTENT]))
        assert text(answer[0]) == wrong


# Facts.


def test_facts_do_not_depend_on_phrasing_and_never_change():
    task = Facts(12)
    assert fact_table()[:8].tolist() == [75, 0, 14, 29, 30, 68, 9, 52]
    values = {task.reference(f"{letter}0421=") for letter in "abcdefgh"}
    assert values == {f"{fact_table()[421]:02d}"}
    assert task.canonical("a0421=") == task.canonical("h0421=")


def test_training_shows_the_first_facts_most_and_a_run_shows_all_alike():
    """χ² of a run's keys in 8 bins, false-alarm probability 1e-6; fixed seed."""
    task = Facts(12)
    trained = task.draw_batch(stream(0, "facts"), 8000, "train").fields[:, 1]
    asked = task.draw_batch(stream(0, "facts"), 8000, "held-out").fields[:, 1]
    shares = np.bincount(trained // 512, minlength=8) / 8000
    assert (np.diff(shares) < 0.005).all()
    assert shares[0] > 3 * shares[1]
    assert chisquare(np.bincount(asked // 512, minlength=8)).pvalue > 1e-6
    assert Facts(6).draw_batch(stream(0, "facts"), 500, "held-out").fields[:, 1].max() < 64


# Subset sum.


@pure
@given(st.integers(3, 8), st.data())
def test_a_subset_is_right_iff_it_makes_the_target(size, data):
    digits = data.draw(st.lists(st.integers(1, 9), min_size=size, max_size=size))
    made, claimed = (
        data.draw(st.lists(st.booleans(), min_size=size, max_size=size)) for _ in range(2)
    )
    if not any(made):
        made[0] = True
    target = sum(itertools.compress(digits, made))
    query = "".join(map(str, digits)) + f":{target:02d}="
    answer = "".join(str(d) if c else LEFT_OUT for d, c in zip(digits, claimed, strict=True))
    assert SubsetSum(size).verify(query, answer) == (
        sum(itertools.compress(digits, claimed)) == target
    )


def test_a_subset_has_its_digits_in_their_places():
    task = SubsetSum(3)
    assert task.verify("123:03=", "12.")
    assert task.verify("123:03=", "..3")
    assert not task.verify("123:03=", "3..")
    assert not task.verify("123:03=", "21.")
    assert not task.verify("123:00=", "...")  # never asked
    assert not task.verify("123:09=", "...")


# Composition.


@pure
@given(st.text("RLSPM", min_size=1, max_size=4), st.text("abcdefgh", min_size=4, max_size=4))
@example("R", "abcd")
def test_functions_apply_from_the_left(names, letters):
    value = np.array([["abcdefgh".index(letter) for letter in letters]])
    for name in names:
        value = FUNCTIONS[name](value)
    answer = "".join("abcdefgh"[v] for v in value[0])
    seen, unseen = Composition(len(names)), UnseenComposition(max(2, len(names)))
    query = f"{names}.{letters}="
    assert seen.verify(query, answer) != (len(names) > 1 and unseen.verify(query, answer))


def test_what_each_function_does():
    task = Composition(1)
    said = {name: task.reference(f"{name}.abch=") for name in FUNCTIONS}
    assert said == {"R": "hcba", "L": "bcha", "S": "bahc", "P": "bcda", "M": "hgfa"}


@pytest.mark.parametrize("size", [2, 3, 4])
def test_unseen_compositions_have_an_unseen_pair_and_are_drawn_by_one_task_alone(size):
    for names in itertools.product("RLSPM", repeat=size):
        functions = np.array([["RLSPM".index(name) for name in names]])
        has_pair = any(pair in "".join(names) for pair in UNSEEN_PAIRS)
        assert unseen_compositions(functions)[0] == has_pair
    for split in ("train", "held-out"):
        for task, expected in ((Composition(size), False), (UnseenComposition(size), True)):
            functions = task.draw_batch(stream(0, split), 300, split).fields[:, :size]
            assert (unseen_compositions(functions) == expected).all()


# Indivisible.


@pure
@given(st.sampled_from([3, 7, 9]), st.integers(0, 9999), st.integers(0, 99))
def test_a_number_is_right_iff_it_is_no_multiple(size, head, tail):
    task = Indivisible(size)
    number = head * 100 + tail
    assert task.verify(f"{size}|{head:04d}=", f"{tail:02d}") == (number % size != 0)
    assert not task.verify(f"{size % 9 + 1}|{head:04d}=", f"{tail:02d}")


@pytest.mark.parametrize("size", [3, 7, 9])
def test_near_misses_are_the_next_multiple(size):
    task = Indivisible(size)
    problems, _, rng = drawn(task)
    wrong = task.mistake(rng, problems, np.full(300, NEAR))
    tails = np.array([int(text(row)) for row in wrong])
    assert (np.abs(tails - problems.fields[:, 1]) < size).all()


def test_a_problem_is_a_query_and_a_reference():
    problem = Addition(2).draw(stream(0, "x"), "train")
    assert isinstance(problem, Problem)
    assert Addition(2).verify(problem.query, problem.reference)


# Walks.


@pure
@given(st.text("abcdefghi", min_size=6, max_size=6), st.integers(1, 6), st.text("0123456789"))
@example("aahiae", 6, "103733")
@example("aahiae", 2, "13")
def test_a_walk_is_right_iff_it_ends_where_it_ends_for_what_it_may_cost(steps, budget, answer):
    at = 5
    for step in steps:
        at = min(9, max(0, at + "abcdefghi".index(step) - 4))
    wanted = 0 < len(answer) <= budget and answer[-1] == str(at)
    assert Walks(6).verify(f"+{steps}@{budget}=", answer) == wanted
    assert Walks(6).counted("", answer) == (answer[-1:] or None)


def test_a_walk_is_written_down_as_far_as_is_paid_for():
    told = [Walks(6).reference(f"+aahiae@{budget}=") for budget in range(1, 7)]
    assert told == ["3", "13", "103", "1033", "10373", "103733"]


def test_a_ball_is_followed_as_far_as_is_paid_for():
    told = [Cups(6).reference(f"oahcjbe@{budget}=") for budget in range(1, 7)]
    assert told == ["2", "32", "342", "3412", "34112", "341132"]


@pure
@given(st.text(alphabet="abcdefghij", min_size=6, max_size=6), st.text("0123456789x", max_size=7))
@example("jjjjjj", "3")
def test_cups_are_as_if_they_stood_there(steps, answer):
    cups = ["", "", "ball", "", ""]
    for step in steps:
        one, other = list(itertools.combinations(range(5), 2))["abcdefghij".index(step)]
        cups[one], cups[other] = cups[other], cups[one]
    wanted = 0 < len(answer) <= 4 and answer.isdecimal()
    wanted = wanted and answer[-1] == str(cups.index("ball") + 1)
    assert Cups(6).verify(f"o{steps}@4=", answer) == wanted


def test_a_budget_is_asked_of_the_same_walks():
    asked = {
        budget: [
            Walks(6, budget=budget).draw(stream(0, "walks"), split).query
            for split in ("train", "held-out")
        ]
        for budget in (1, 3, 6)
    }
    walks = {tuple(query.partition("@")[0] for query in queries) for queries in asked.values()}
    assert len(walks) == 1
    assert all(query.endswith(f"@{b}=") for b, queries in asked.items() for query in queries)
    drawn_any = Walks(6).draw_batch(stream(0, "walks"), 600, "train").fields[:, -1]
    assert set(drawn_any.tolist()) == set(range(1, 7))
    with pytest.raises(ValueError, match=r"task\.options\.budget: expected 1 to 6, got 7"):
        Walks(6, budget=7)
