"""Counts of grades by way of asking: areas and errors as of `measures.rates`; differences."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mgptn.experiments.claims.method.numbers import estimate
from mgptn.experiments.claims.survey_trick.analysis import (
    DEALT,
    FOUR,
    SAMPLED,
    WORDS,
)
from mgptn.experiments.claims.survey_trick.ways import Way, less, way_of
from mgptn.population.measures.rates import auc, calibration_error, grader_rates
from mgptn.population.records.arrays import Floats

SHAPE = (2, 3, 4)
grades = hnp.arrays(
    np.float64, SHAPE, elements=st.sampled_from([0.0, 0.1, 0.25, 0.6, 0.61, 1.0, np.nan])
)


@settings(max_examples=100, deadline=None)
@given(grades, hnp.arrays(np.bool_, SHAPE))
def test_counts_say_what_grades_one_by_one_do(given: Floats, right: Floats) -> None:
    way = way_of(given, right)
    means = way.counts.mean(axis=(0, 1))[None]
    flat, verdicts = given.ravel(), right.ravel()
    expected = (
        auc(flat, verdicts),
        grader_rates(flat, verdicts, 0.6).youden_j,
        calibration_error(flat, verdicts, 10),
        np.nanmean(flat) if np.isfinite(flat).any() else np.nan,
    )
    found = (way.area, way.youden, way.calibration_error, way.mean)
    for statistic, value in zip(found, expected, strict=True):
        assert statistic(means)[0] == pytest.approx(value, nan_ok=True)


def test_halves_are_of_problems() -> None:
    rng = np.random.default_rng(0)
    given, right = rng.random((2, 5, 3)), rng.random((2, 5, 3)) < 0.5
    way = way_of(given, right)
    for which in (0, 1):
        half = way_of(given[:, which:4:2], right[:, which:4:2])
        means = (
            half.counts.mean(axis=(0, 1))[None],
            way.half(which).counts.mean(axis=(0, 1))[None],
        )
        assert half.area(means[0])[0] == pytest.approx(way.half(which).area(means[1])[0])


def judge(knows: float) -> dict[str, Way]:
    """A judge whose mean level is .5 ± knows, noisily; its word is the top or the bottom one."""
    rng = np.random.default_rng(1)
    shape = (3, 60, 6)
    right = rng.random(shape) < 0.5
    believed = np.clip(0.5 + knows * (2.0 * right - 1.0) + rng.normal(0.0, 0.1, shape), 0.0, 1.0)
    said = (rng.random((4, *shape)) < believed).astype(np.float64)
    dealt = rng.permuted(believed.reshape(3, -1), axis=1).reshape(shape)
    named = {WORDS: believed, SAMPLED: said[0], FOUR: said.mean(axis=0), DEALT: dealt}
    return {name: way_of(values, right) for name, values in named.items()}


def test_a_sampled_word_tells_less_than_the_probability_it_is_drawn_with() -> None:
    """Normal beliefs .2 apart in both directions with deviation .1: AUC Φ(.4/(.1·√2)) = .998."""
    ways = judge(0.2)
    known = estimate("known", ways[WORDS].counts, ways[WORDS].area)
    assert known.value == pytest.approx(0.998, abs=0.01)
    # A word is right with probability .7, so that its area is .7.
    gain = estimate("gain", *less(ways[WORDS], ways[SAMPLED], None, "area"))
    assert gain.low < 0.298 < gain.high
    assert gain.high - gain.low < 0.12
    four = estimate("four", *less(ways[WORDS], ways[FOUR], None, "area"))
    assert 0.0 < four.low < four.high < gain.low
    same = estimate("same", *less(ways[WORDS], ways[FOUR], None, "mean"))
    assert same.low < 0.0 < same.high


def test_a_judge_that_knows_nothing_gains_nothing() -> None:
    ways = judge(0.0)
    gain = estimate("gain", *less(ways[WORDS], ways[SAMPLED], 1, "area"))
    assert gain.low < 0.0 < gain.high
    dealt = estimate("dealt", judge(0.2)[DEALT].counts, judge(0.2)[DEALT].area)
    assert dealt.low < 0.5 < dealt.high
