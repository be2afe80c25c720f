"""What the likeliest next tokens say of options."""

# SPDX-License-Identifier: Apache-2.0

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.agents.endpoints.options import ambiguous, told_of

YES, NO = " correct", " incorrect"


def logs(top: dict[str, float], *options: str) -> list[float]:
    return [round(math.exp(log), 9) for log in told_of(_top(top), options).log_probabilities]


def _top(top: dict[str, float]) -> list[tuple[str, float]]:
    return [(token, math.log(share)) for token, share in top.items()]


def test_an_option_is_found_in_place_whatever_its_case_and_the_space_before_it():
    assert logs({" correct": 0.5, " incorrect": 0.25}, NO, YES) == [0.25, 0.5]
    assert logs({"Correct": 0.5, "▁correct": 0.125, "Ġincorrect": 0.25}, NO, YES) == [0.25, 0.625]


def test_a_mark_behind_an_option_is_no_part_of_it_but_a_letter_is():
    assert logs({" yes.": 0.5, " yesterday": 0.25, " no": 0.125}, " no", " yes") == [0.125, 0.5]


def test_what_is_not_among_the_tokens_has_no_probability():
    assert logs({" correct": 0.5, "The": 0.25}, NO, YES) == [0.0, 0.5]


def test_options_that_differ_in_case_alone_are_told_apart_by_it():
    assert logs({"a": 0.5, "A": 0.25}, "a", "A") == [0.5, 0.25]


def test_an_option_of_several_tokens_counts_by_the_first_that_is_its_own():
    assert logs({" in": 0.25, " i": 0.125, " correct": 0.5}, NO, YES) == [0.25, 0.5]
    # A token on another way to what was seen as a whole is left alone.
    assert logs({" in": 0.25, " incorrect": 0.125, " correct": 0.5}, NO, YES) == [0.125, 0.5]


def test_what_options_begin_with_alike_has_to_be_asked_on_from():
    told = told_of(_top({" almost": 0.5, " never": 0.25}), ("almost always", "almost no", "never"))
    (shared,) = told.shared
    assert (shared.token, shared.options) == (" almost", (0, 1))
    assert shared.rests == (" always", " no")
    assert [math.isfinite(log) for log in told.log_probabilities] == [False, False, True]


def test_digits_behind_a_space_of_their_own_are_asked_on_from():
    (shared,) = told_of(_top({" ": 0.5, "A": 0.25}), (" 1", " 2", " 3")).shared
    assert (shared.options, shared.rests) == ((0, 1, 2), ("1", "2", "3"))


@pytest.mark.parametrize(
    ("options", "alike"),
    [((NO, YES), None), (("no", "not at all"), ("no", "not at all")), (("a", "A"), None)],
)
def test_options_of_which_one_begins_another_are_named(
    options: tuple[str, ...], alike: tuple[str, str] | None
):
    assert ambiguous(options) == alike


@given(st.lists(st.floats(0.001, 1.0), min_size=3, max_size=3))
def test_whole_options_have_the_probabilities_that_were_told(weights: list[float]):
    names = ["good", "bad", "ugly"]
    shares = [weight / (2 * sum(weights)) for weight in weights]
    told = told_of([(f" {n}", math.log(s)) for n, s in zip(names, shares, strict=True)], names)
    assert [math.exp(log) for log in told.log_probabilities] == pytest.approx(shares)
