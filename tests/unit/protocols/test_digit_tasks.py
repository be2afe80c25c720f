"""Tasks whose answer is digits: of any width, as Python's own integers and strings have it."""

# SPDX-License-Identifier: Apache-2.0

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.draws.streams import stream
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.arithmetic import Addition, Multiplication, Subtraction
from mgptn.protocols.tasks.bundled import NEAR, PERSISTENT, RANDOM, Problems, codes, text
from mgptn.protocols.tasks.digits import as_numbers, carry, draw_digits, in_order
from mgptn.protocols.tasks.rearrangements import Copy, Parity, Reverse, Sorting
from mgptn.protocols.tasks.task import validate
from tests.reference.protocols.addition import NumberAddition

pure = settings(deadline=None, max_examples=150)
ARITHMETIC = (Addition, Subtraction, Multiplication)
STRINGS = (Copy, Reverse, Sorting, Parity)
every_kind = pytest.mark.parametrize("kind", ARITHMETIC + STRINGS, ids=lambda kind: kind.name)
widths = st.integers(1, 48)


def columns(rows, width):
    """Python's integers as digits, int64 [N, width]."""
    return np.array([[int(digit) for digit in f"{row:0{width}d}"] for row in rows])


def whole(digits):
    """Digits as Python's integers, one a row; a column may have any number."""
    return [sum(int(d) * 10**i for i, d in enumerate(reversed(row))) for row in digits]


def persistent(task, query):
    """The wrong answer that a query always provokes."""
    problems = Problems(task.parse(query), codes(task.reference(query))[None])
    return text(task.mistake(stream(0, "x"), problems, np.array([PERSISTENT]))[0])


# Digits.


@pure
@given(widths, st.data())
def test_carrying_leaves_a_number_as_it_was(width, data):
    number = st.lists(st.integers(-99, 99), min_size=width, max_size=width)
    given_ones = np.array(data.draw(st.lists(number, min_size=1, max_size=5)))
    carried = carry(given_ones)
    assert whole(carried) == whole(given_ones)
    assert ((carried[:, 1:] >= 0) & (carried[:, 1:] <= 9)).all()


@pure
@given(widths, st.data())
def test_numbers_of_any_width_are_ordered_and_taken_together(width, data):
    number = st.integers(0, 10**width - 1)
    pairs = data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=5))
    pairs += [(a, a) for a, _ in pairs]
    first, second = (columns(rows, width) for rows in zip(*pairs, strict=True))
    smaller, larger = in_order(first, second)
    assert list(zip(whole(smaller), whole(larger), strict=True)) == [
        (min(p), max(p)) for p in pairs
    ]
    pieces = as_numbers(first)
    assert pieces.shape[1] == -(-width // 18)
    assert [sum(int(n) * 10 ** (18 * i) for i, n in enumerate(row[::-1])) for row in pieces] == [
        a for a, _ in pairs
    ]


@pytest.mark.parametrize("width", [1, 18, 19, 48])
def test_every_digit_is_drawn_evenly_in_every_place(width):
    """Each share of 4,000 is .1 ± .03: 6.3 standard deviations, false-alarm probability 1e-6 for
    all 480 shares together.
    """
    digits = draw_digits(stream(0, "digits", width), 2000, 2, width)
    assert digits.shape == (2000, 2, width)
    shares = [(digits == digit).mean(axis=(0, 1)) for digit in range(10)]
    assert np.abs(np.array(shares) - 0.1).max() < 0.03


# Addition as it was: what the ladder was trained on, and what runs were made of.


def same_problems(new, old):
    """Are digits and integers the same operands?"""
    parts = np.split(new.fields, 2, axis=1)
    same = np.array_equal(np.hstack([as_numbers(part) for part in parts]), old.fields)
    return same and np.array_equal(new.references, old.references)


@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize("seed", range(3))
def test_addition_is_bit_for_bit_what_it_was_with_integers(size, seed):
    task, plain = Addition(size), NumberAddition(size)
    rng, other = (stream(seed, "addition", size) for _ in range(2))
    for split in ("train", "held-out"):
        problems, expected = (t.draw_batch(r, 500, split) for t, r in ((task, rng), (plain, other)))
        assert same_problems(problems, expected)
        assert np.array_equal(task.render(problems.fields), plain.render(expected.fields))
        assert np.array_equal(task.split_keys(problems.fields), plain.split_keys(expected.fields))
        for kind in (NEAR, RANDOM, PERSISTENT):
            kinds = np.full(500, kind)
            for name in ("mistake", "corrupt_batch"):
                wrong = getattr(task, name)(rng, problems, kinds)
                assert np.array_equal(wrong, getattr(plain, name)(other, expected, kinds))
                assert np.array_equal(
                    task.right(problems.fields, wrong), plain.right(expected.fields, wrong)
                )
        mixed = rng.integers(0, 3, size=500)
        assert np.array_equal(mixed, other.integers(0, 3, size=500))
        wrong = task.corrupt_batch(rng, problems, mixed)
        assert np.array_equal(wrong, plain.corrupt_batch(other, expected, mixed))
        for _ in range(50):
            problem = task.draw(rng, split)
            assert problem == plain.draw(other, split)
            wrong = task.corrupt(problem, rng)
            assert wrong == plain.corrupt(problem, other)
            for method in ("reference", "canonical"):
                said = getattr(task, method)(problem.query)
                assert said == getattr(plain, method)(problem.query)
            for answer in (problem.reference, wrong):
                right = task.verify(problem.query, answer)
                assert right == plain.verify(problem.query, answer)
    assert rng.bit_generator.random_raw() == other.bit_generator.random_raw()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_sum_is_in_the_split_it_was_in(size):
    """All of them up to two digits, and 20,000 of three."""
    task, plain = Addition(size), NumberAddition(size)
    pairs = np.array(list(itertools.product(range(10**size), repeat=2)))
    pairs = stream(0, "pairs").permutation(pairs)[:20_000]
    digits = np.hstack([columns(pairs[:, i], size) for i in (0, 1)])
    assert np.array_equal(task.held_out(digits), plain.held_out(pairs))
    assert np.array_equal(task.answer(stream(0, "x"), digits), plain.answer(stream(0, "x"), pairs))


@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize(
    "junk", ["", "=", "+=", "1+1", "1+1=2", "12+34=", "-1+1=", "٣+٤=", "1 +1=", "000001+999999="]
)
def test_the_same_queries_of_addition_are_read(size, junk):
    digits, numbers = Addition(size).parse(junk), NumberAddition(size).parse(junk)
    assert (digits is None) == (numbers is None)
    assert Addition(size).canonical(junk) == NumberAddition(size).canonical(junk)
    if digits is not None:
        assert whole(np.split(digits[0], 2)) == numbers[0].tolist()


# Every task of digits.


@every_kind
def test_every_size_is_valid(kind):
    for size in kind.sizes:
        validate(kind(size), stream(0, "validate", kind.name, size), problems=3)


@every_kind
@pytest.mark.parametrize("error", [NEAR, PERSISTENT])
def test_near_misses_and_persistent_errors_are_mostly_wrong_and_in_form(kind, error):
    for size in (kind.sizes[0], 18, 19, 48):
        task = kind(size)
        problems = task.draw_batch(stream(0, "errors", size), 300, "train")
        wrong = task.mistake(stream(1, "errors", size), problems, np.full(300, error))
        assert set(text(wrong.ravel())) <= set(kind.answer_alphabet)
        right = task.right(problems.fields, wrong).mean()
        assert right == 0 if error == NEAR or kind in ARITHMETIC else right < 0.3


@every_kind
def test_a_query_of_another_task_or_size_is_none_of_its_own(kind):
    task = kind(kind.default_size)
    for name, other in TASKS.items():
        for size in {other.sizes[0], other.default_size, 6 if 6 in other.sizes else 3}:
            if (name, size) != (kind.name, kind.default_size) and size in other.sizes:
                assert task.parse(other(size).draw(stream(0, "x"), "train").query) is None


# Subtraction and multiplication, beside Python's own integers.


@pure
@given(widths, st.data())
def test_exactly_one_answer_to_a_difference_is_right(size, data):
    task = Subtraction(size)
    b, a = sorted(data.draw(st.integers(0, 10**size - 1)) for _ in range(2))
    claimed = data.draw(st.sampled_from([a, b, a - b]))
    query, written = f"{a:0{size}d}-{b:0{size}d}=", f"{claimed:0{size}d}"[::-1]
    assert task.verify(query, written) == (claimed == a - b)
    assert task.right(task.parse(query), codes(written)[None])[0] == (claimed == a - b)
    assert not task.verify(query, written + "0")
    assert (task.parse(f"{b:0{size}d}-{a:0{size}d}=") is None) == (a > b)


@pure
@given(widths, st.integers(0, 9), st.data())
def test_exactly_one_answer_to_a_product_is_right(size, factor, data):
    task = Multiplication(size)
    number = data.draw(st.integers(0, 10**size - 1))
    claimed = data.draw(st.sampled_from([number, number * factor]))
    query, written = f"{number:0{size}d}x{factor}=", f"{claimed:0{size + 1}d}"[::-1]
    if factor < 2:
        assert task.parse(query) is None
        return
    assert task.verify(query, written) == (claimed == number * factor)
    assert task.right(task.parse(query), codes(written)[None])[0] == (claimed == number * factor)
    assert not task.verify(query, written + "0")


@pytest.mark.parametrize("size", [1, 2, 6, 18, 19, 48])
@pytest.mark.parametrize("kind", ARITHMETIC, ids=lambda kind: kind.name)
def test_a_near_miss_is_off_by_a_little_within_the_width(kind, size):
    task = kind(size)
    problems = task.draw_batch(stream(0, "near", size), 300, "train")
    wrong = task.mistake(stream(1, "near", size), problems, np.full(300, NEAR))
    span = kind.leading * 10 ** (task.max_answer_characters - 1)
    off = {
        (int(text(w)[::-1]) - int(text(r)[::-1])) % span
        for w, r in zip(wrong, problems.references, strict=True)
    }
    assert off <= {step % span for step in (1, -1, 2, -2, 10, -10, 11, -11, 100, -100)} - {0}


@pytest.mark.parametrize(
    ("task", "query", "right", "wrong"),
    [
        (Subtraction(2), "52-17=", "53", "54"),  # not borrowed
        (Subtraction(2), "58-17=", "14", "13"),  # borrowed all the same
        (Subtraction(3), "100-001=", "990", "901"),  # 99 and ten more
        (Subtraction(1), "7-3=", "4", "3"),
        (Subtraction(1), "3-3=", "0", "9"),
        (Multiplication(2), "17x5=", "580", "550"),  # nothing carried
        (Multiplication(2), "12x3=", "630", "640"),  # one carried
        (Multiplication(1), "7x3=", "12", "10"),
        (Addition(20), f"{'9' * 20}+{1:020d}=", "0" * 20 + "1", "09" + "9" * 18 + "0"),
    ],
)
def test_what_persistent_errors_of_arithmetic_are(task, query, right, wrong):
    assert task.reference(query) == right
    assert persistent(task, query) == wrong


def test_a_product_of_two_digits_is_one_problem_in_either_order():
    task = Multiplication(3)
    one, other = task.parse("007x3="), task.parse("003x7=")
    assert task.split_keys(one) == task.split_keys(other)
    assert task.canonical("007x3=") == task.canonical("003x7=") == "003x7="
    assert task.canonical("017x3=") == "017x3="
    assert task.split_keys(task.parse("017x3=")) != task.split_keys(task.parse("013x7="))
    assert task.canonical("001x7=") == "001x7="


# Strings.


@pure
@given(st.text("0123456789", min_size=2, max_size=48))
def test_strings_are_copied_reversed_and_sorted(string):
    size = len(string)
    assert Copy(size).reference(f"c:{string}=") == string
    assert Reverse(size).reference(f"R:{string}=") == string[::-1]
    assert Sorting(size).reference(f"S:{string}=") == "".join(sorted(string))
    task, backwards = Sorting(size), f"S:{string[::-1]}="
    assert task.canonical(f"S:{string}=") == task.canonical(backwards)
    assert task.split_keys(task.parse(f"S:{string}=")) == task.split_keys(task.parse(backwards))


@pure
@given(st.text("01", min_size=6, max_size=48))
def test_parity_counts_the_ones_so_far(bits):
    counted = "".join(str(bits[: i + 1].count("1") % 2) for i in range(len(bits)))
    assert Parity(len(bits)).reference(f"P:{bits}=") == counted
    assert Parity(len(bits)).parse(f"P:2{bits[1:]}=") is None


@pytest.mark.parametrize("size", [6, 19, 48])
@pytest.mark.parametrize("kind", STRINGS, ids=lambda kind: kind.name)
def test_a_near_miss_is_right_for_a_string_with_one_digit_misread(kind, size):
    task = kind(size)
    problems = task.draw_batch(stream(0, "near", size), 100, "train")
    wrong = task.mistake(stream(1, "near", size), problems, np.full(100, NEAR))
    for row, query in zip(wrong, task.render(problems.fields), strict=True):
        string = task.string(text(query))
        misread = (
            f"{kind.letter}:{string[:i]}{digit}{string[i + 1 :]}="
            for i in range(size)
            for digit in set("0123456789"[: kind.values]) - {string[i]}
        )
        assert any(text(row) == task.solve_plainly(other) for other in misread)


def test_what_persistent_errors_of_strings_are():
    assert persistent(Copy(4), "c:3812=") == "8312"
    assert persistent(Copy(4), "c:3381=") == "3831"
    assert persistent(Copy(4), "c:3333=") == "3333"  # right: another takes its place
    assert persistent(Reverse(4), "R:3812=") == "3812"
    assert persistent(Sorting(4), "S:3812=") == "1388"
    assert persistent(Parity(6), "P:011010=") == "010111"


@pytest.mark.parametrize("size", [2, 19, 48])
def test_wrong_answers_to_sorting_ascend_too(size):
    task = Sorting(size)
    problems = task.draw_batch(stream(0, "sorting", size), 300, "train")
    for kind in (NEAR, RANDOM, PERSISTENT):
        wrong = task.corrupt_batch(stream(1, "sorting"), problems, np.full(300, kind))
        assert (np.diff(wrong.astype(np.int64), axis=1) >= 0).all()
