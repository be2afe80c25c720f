"""Krippendorff's α is that of an independent library, and of the book's own example."""

# SPDX-License-Identifier: Apache-2.0

import krippendorff
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.experiments.people.agreement import SCHEMA, nominal_alpha, said_of

nan = np.nan
BOOK = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
    [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
]
"""Krippendorff 2011, section C: four observers, twelve units, values missing."""


def units(table):
    return [[int(v) for v in column if not np.isnan(v)] for column in np.array(table, float).T]


def test_the_books_example():
    assert nominal_alpha(units(BOOK)) == pytest.approx(0.743, abs=5e-4)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda people: st.lists(
            st.lists(st.sampled_from([nan, -1, 0, 1, 2]), min_size=people, max_size=people),
            min_size=2,
            max_size=12,
        )
    )
)
def test_as_a_library_has_it(rows):
    table = np.array(rows, dtype=float).T
    ours = nominal_alpha(units(table))
    pairable = table[:, (~np.isnan(table)).sum(axis=0) > 1]
    if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
        assert np.isnan(ours)
        return
    theirs = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")
    assert ours == pytest.approx(theirs, abs=1e-9)


def table(*rows):
    filled = [
        dict(zip(("question", "who", "picked", "graded_best"), row, strict=True)) for row in rows
    ]
    usual = {"counted": 0, "seconds": 2.0, "one_right": True, "counted_right": True}
    return pl.DataFrame([usual | row for row in filled], schema=SCHEMA)


def test_a_question_of_several_arms_counts_once():
    rows = [("a", "ann", 0, 0), ("a", "ben", 0, 0), ("b", "ann", 1, 2), ("b", "ben", None, 2)]
    said = said_of(table(*rows))
    assert said == said_of(table(*rows, *rows))
    assert "2 people picked 4 times of 2 questions" in said[0]
    assert "25% of the picks are none" in said[0]
    assert "picked the same in 0.500" in said[1]
    assert "in 0.500 of 2" in said[2]


def test_of_one_person_nothing_is_said_of_agreement():
    said = said_of(table(("a", "ann", 0, None)))
    assert said[0].startswith("1 person picked 1 times")
    assert not [line for line in said if "same" in line or "peers" in line]
    assert said_of(pl.DataFrame(schema=SCHEMA)) == ()
