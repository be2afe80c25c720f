"""Choosing among programs, and what made-up outcomes of coders and testers lead to."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from mgptn.experiments.claims.tests_beat_votes.choosing import (
    by_cases_shown,
    by_results,
    by_tests,
    by_text,
    right_of,
)
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
