"""From which score on an answer is accepted, against slow versions; no verdict is looked at."""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.population.judging.acceptance import Acceptance, best, otsu

# Few different values, so that many are equal.
values = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.9, 1.0]), min_size=1, max_size=40)


def parted_slowly(scores):
    """Otsu's criterion by its definition: least variance within the two groups."""
    within = {}
    for cut in sorted(set(scores))[1:]:
        sides = [[s for s in scores if s < cut], [s for s in scores if s >= cut]]
        within[cut] = sum(len(side) * float(np.var(side)) for side in sides)
    return within


@given(values)
def test_the_two_groups_vary_least_within(scores):
    cut = otsu(np.array(scores))
    within = parted_slowly(scores)
    if not within:
        assert cut is None
    else:
        assert within[cut] == pytest.approx(min(within.values()), abs=1e-12)


@given(values, st.floats(0.01, 1.0))
def test_no_more_than_a_share_is_accepted_and_equal_scores_share_a_fate(scores, share):
    cut = best(np.array(scores), share)
    accepted = [s for s in scores if s >= cut]
    room = math.floor(share * len(scores) + 1e-9)
    assert len(accepted) <= room
    # One more would be one too many: whoever comes next has equals that do not fit.
    rest = [s for s in scores if s < cut]
    if rest:
        assert len(accepted) + rest.count(max(rest)) > room


@given(values)
def test_scores_that_are_unknown_change_nothing(scores):
    known = np.array(scores)
    for by in ("threshold", "share", "calibrated"):
        way = Acceptance(0.6, by)
        assert way.cut(np.append(known, math.nan)) == way.cut(known)


def test_values_worked_by_hand():
    scores = np.array([0.02, 0.03, 0.05, 0.40, 0.45])
    assert Acceptance(0.6).cut(scores) == 0.6
    assert Acceptance(0.6, "calibrated").cut(scores) == 0.40
    assert Acceptance(0.6, "share", 0.6).cut(scores) == 0.05
    assert Acceptance(0.6, "share", 0.1).cut(scores) == math.inf
    assert Acceptance(0.6, "calibrated").cut(np.full(3, 0.2)) == 0.6
    assert Acceptance(0.6, "calibrated").cut(np.full(3, math.nan)) == 0.6


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"by": "luck"}, "by"),
        ({"by": "share", "share": 1.5}, "share"),
        ({"threshold": math.nan}, "threshold: expected a number, got NaN"),
    ],
)
def test_what_is_no_way_to_accept_is_refused(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        Acceptance(**{"threshold": 0.6, **settings})
