"""The fitted boundary of a region of success, held against known ones and plain searches."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import log_expit

from mgptn.experiments.claims.phase_diagram.boundary import (
    STEEPNESS,
    Boundary,
    Successes,
    _loss,
    convexity,
    fit_boundary,
)
from mgptn.population.theory.classification import unanimity_boundary

POSITIONS = np.array([0.1, 0.25, 0.4, 0.8])
SIZES = np.array([2.0, 4.0, 8.0, 16.0, 32.0])
CONVEX, CONCAVE = np.array([24.0, 9.0, 6.0, 3.5]), np.array([20.0, 19.5, 18.0, 2.5])


def expected(boundary: np.ndarray, trials: int, steepness: float = 4.0) -> Successes:
    """The successes that a boundary makes likeliest, to the nearest whole number."""
    likely = Boundary(boundary, steepness, 0.0).probabilities(SIZES)
    counts = np.full(likely.shape, trials)
    return Successes(POSITIONS, SIZES, np.rint(likely * trials).astype(np.int64), counts)


@st.composite
def found(draw: st.DrawFn, positions: int = 4) -> Successes:
    trials = draw(st.integers(1, 6))
    cells = positions * len(SIZES)
    counts = draw(st.lists(st.integers(0, trials), min_size=cells, max_size=cells))
    shape = positions, len(SIZES)
    return Successes(
        POSITIONS[:positions], SIZES, np.array(counts).reshape(shape), np.full(shape, trials)
    )


@given(found(), st.lists(st.floats(0.0, 4.0), min_size=4, max_size=4), st.floats(-0.5, 2.0))
def test_the_gradient_is_that_of_the_likelihood(
    of: Successes, logs: list[float], slope: float
) -> None:
    def gradient(values: np.ndarray) -> np.ndarray:
        return _loss(values, of)[1]

    off = check_grad(lambda values: _loss(values, of)[0], gradient, np.array([*logs, slope]))
    assert off < 1e-3 * (1.0 + of.trials.sum())


@pytest.mark.parametrize("convex", [False, True])
def test_a_known_boundary_is_found_again(convex: bool) -> None:
    fit = fit_boundary(expected(CONVEX, 400), convex=convex)
    assert fit.sizes == pytest.approx(CONVEX, rel=0.05)
    assert fit.steepness == pytest.approx(4.0, rel=0.1)


def test_the_theorys_boundary_is_convex_over_the_log_likelihood_ratio() -> None:
    theory = [1.0 + unanimity_boundary(0.5, 0.05, 3, 0.9, 0.9 * math.exp(-x)) for x in POSITIONS]
    tested = convexity(expected(np.array(theory), 400), np.random.default_rng(0), draws=9)
    assert tested.ratio < 0.5
    assert tested.p > 0.05


def test_a_boundary_that_bulges_is_rejected_with_enough_data_and_not_with_little() -> None:
    plenty = convexity(expected(CONCAVE, 200), np.random.default_rng(0), draws=19)
    assert plenty.ratio > 20.0
    assert plenty.p == pytest.approx(1 / 20)
    assert convexity(expected(CONCAVE, 2), np.random.default_rng(0), draws=19).p > 0.05


@settings(deadline=None, max_examples=30)
@given(found())
def test_a_fit_keeps_its_constraints_and_a_further_one_is_no_likelier(of: Successes) -> None:
    monotone, convex = (fit_boundary(of, convex=bent) for bent in (False, True))
    assert convex.log_likelihood <= monotone.log_likelihood + 1e-3
    for fit in (monotone, convex):
        finite = fit.sizes[np.isfinite(fit.sizes)]
        assert np.all(np.diff(finite) <= 1e-3 * finite[:-1])
        assert np.all(np.diff(np.isfinite(fit.sizes).astype(int)) >= 0)
    whole = np.isfinite(convex.sizes)
    slopes = np.diff(convex.sizes[whole]) / np.diff(POSITIONS[whole])
    assert np.all(np.diff(slopes) >= -1e-2 * (1.0 + np.abs(slopes[:-1])))


@settings(deadline=None, max_examples=15)
@given(found(positions=2))
def test_no_boundary_of_a_plain_grid_is_likelier(of: Successes) -> None:
    fit = fit_boundary(of, convex=False)
    sizes = np.geomspace(1.0, 512.0, 40)
    slopes = np.geomspace(*STEEPNESS, 12)
    best = -math.inf
    for first, second, slope in itertools.product(sizes, sizes, slopes):
        if second > first:
            continue
        odds = slope * (np.log(SIZES) - np.log([[first], [second]]))
        likely = of.successes * log_expit(odds) + (of.trials - of.successes) * log_expit(-odds)
        best = max(best, float(likely.sum()))
    assert fit.log_likelihood >= best - 1e-4


def test_a_row_without_a_success_has_no_boundary() -> None:
    none = expected(np.array([math.inf, 9.0, 6.0, 3.0]), 20)
    fit = fit_boundary(none, convex=True)
    assert math.isinf(fit.sizes[0])
    assert np.isfinite(fit.sizes[1:]).all()
    assert convexity(none, np.random.default_rng(0), draws=3).finite == 3


@pytest.mark.slow
def test_convexity_is_seldom_rejected_where_it_holds() -> None:
    """At a level of .05, 10 of 24 rejections have a probability below 1e-6."""
    rng = np.random.default_rng(7)
    likely = Boundary(CONVEX, 4.0, 0.0).probabilities(SIZES)
    trials = np.full(likely.shape, 8)
    rejected = 0
    for _ in range(24):
        drawn = Successes(POSITIONS, SIZES, rng.binomial(trials, likely), trials)
        rejected += convexity(drawn, rng, draws=39).p <= 0.05
    assert rejected < 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"successes": np.zeros((2, 2), dtype=np.int64)}, r"successes: expected shape \(4, 5\)"),
        ({"positions": POSITIONS[::-1]}, "positions: expected ascending"),
        ({"sizes": np.ones(5)}, "sizes: expected ascending"),
    ],
)
def test_counts_that_do_not_fit_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    whole = expected(CONVEX, 4)
    fields = {name: getattr(whole, name) for name in ("positions", "sizes", "successes", "trials")}
    with pytest.raises(ValueError, match=message):
        Successes(**{**fields, **change})
