"""Choosing among programs, and what made-up outcomes of coders and testers lead to."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mgptn.experiments.claims.tests_beat_votes.choosing import (
    by_cases_shown,
    by_results,
    by_tests,
    by_text,
    right_of,
)
from mgptn.experiments.passing.idle import idle_share
from mgptn.experiments.passing.kinds import by_seeds
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcome, Outcomes
from mgptn.population.records.turns import Turn
from mgptn.protocols.tasks.programs.both import question_for_program

SPEC = "03:3|27:9|66:2|90:9"
QUERY = question_for_program(SPEC)
RIGHT, ALSO = "+.....", "s+...."
"""Two texts of one behaviour, which the spec wants."""


def test_what_computes_the_same_is_one_where_programs_are_run():
    said = [RIGHT, ALSO, "-.....", "-.....", "*....."]
    assert by_text(said).tolist() == [1.0, 1.0, 2.0, 2.0, 1.0]
    assert by_results(said, QUERY).tolist() == [2.0, 2.0, 2.0, 2.0, 1.0]
    assert by_results([RIGHT, ALSO, "d+....", "-....."], QUERY).tolist() == [2.0, 2.0, 1.0, 1.0]


def test_programs_without_results_agree_with_nobody():
    endless = ["@.....", "@.....", "xyz", "too long a text", RIGHT]
    assert by_results(endless, QUERY).tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_a_test_says_the_more_the_more_programs_pass_it():
    programs = [RIGHT, ALSO, "-....."]
    # 12:3 passes by two of three, so that passing is worth 1/2 + 1/3; 12:9 by none.
    assert by_tests(programs, ["12:3"], QUERY) == pytest.approx([5 / 6, 5 / 6, 1 / 6])
    assert by_tests(programs, ["12:8", "no test"], QUERY) == pytest.approx([0.5, 0.5, 0.5])
    assert by_tests(programs, ["no test"], QUERY) == pytest.approx([0.5, 0.5, 0.5])


def test_cases_shown_are_run_at_no_cost():
    assert by_cases_shown([RIGHT, "-.....", "xyz"], QUERY).tolist() == [1.0, 0.0, 0.0]


def test_of_equally_good_ones_each_is_as_likely():
    right = np.array([True, False, True, False])
    assert right_of(np.array([2.0, 2.0, 1.0, 0.0]), right) == 0.5
    assert right_of(np.array([0.0, 0.0, 1.0, 0.0]), right) == 1.0
    assert right_of(np.zeros(4), right) == 0.5


def test_questions_of_a_kind_count_by_seeds_alike():
    short, long = np.array([[1.0], [0.0]]), np.array([[0.0], [0.0], [1.0], [0.0]])
    assert by_seeds([short, long]).ravel().tolist() == [0.5, 0.25]
    assert by_seeds([short, long]).shape == (2, 1, 1)
    assert by_seeds([long]).shape == (1, 4, 1)


def test_idle_are_tests_that_copy_what_is_shown_or_that_nobody_fails():
    said = {RIGHT: ("12:3", "03:3"), ALSO: ("12:8", "no test"), "-.....": ("46:0", "27:9")}
    matches = Matches(np.arange(3), 1, np.zeros((3, 0), dtype=np.int64))
    ended = [
        Outcome(
            match, QUERY, answer, True, 6, 0.0, (), True,
            turns=tuple(Turn("critique", test, True, None, None) for test in tests),
        )
        for match, (answer, tests) in zip(matches, said.items(), strict=True)
    ]  # fmt: skip
    # Of five tests two copy what is shown; "-" fails the others, or all do.
    assert idle_share(Outcomes.gather(matches, ended)) == 2 / 5
    last = [replace(one, answer=RIGHT) for one in ended]
    # Now nobody fails 12:3 and 46:0 either.
    assert idle_share(Outcomes.gather(matches, last)) == 4 / 5
