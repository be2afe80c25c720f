"""How a boundary bends: by hand, and shown or refuted by its interval."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import pytest

from mgptn.experiments.claims.method.deciding import Condition
from mgptn.experiments.claims.phase_diagram.bend import STRAIGHT, bend_of, bends, by_refits, refits
from mgptn.experiments.claims.phase_diagram.boundary import Boundary, Successes, convexity

POSITIONS = np.array([0.0, 1.0, 2.0])
SIZES = 2.0 ** np.arange(8)


def test_the_bend_is_how_far_it_lies_below_its_chords() -> None:
    # The chord at 1 is (32 + 2) / 2 = 17.
    assert bend_of(POSITIONS, np.array([32.0, 4.0, 2.0])) == pytest.approx(math.log(17 / 4))
    assert bend_of(POSITIONS, np.array([32.0, 17.0, 2.0])) == pytest.approx(0.0)
    assert bend_of(POSITIONS, np.array([32.0, 30.0, 2.0])) < 0.0
    assert math.isnan(bend_of(POSITIONS, np.array([math.inf, 17.0, 2.0])))
    assert math.isnan(bend_of(POSITIONS[:2], SIZES[:2]))


@pytest.mark.parametrize(
    ("middle", "state", "power"), [(4.0, "shown", (0.9, 1.0)), (30.0, "refuted", (0.0, 1.0))]
)
def test_a_bend_is_shown_or_refuted_by_its_interval(
    middle: float, state: str, power: tuple[float, float]
) -> None:
    """Of 40 seeds a place, which are those expected: nothing is drawn but refits."""
    truth = Boundary(np.array([32.0, middle, 2.0]), 4.0, 0.0)
    trials = np.full((3, len(SIZES)), 40)
    found = Successes(
        POSITIONS, SIZES, np.rint(40 * truth.probabilities(SIZES)).astype(int), trials
    )
    rng = np.random.default_rng(0)
    shape = convexity(found, rng, draws=3)
    bend, beside = bends("n", found, shape, refits(found, shape.monotone, rng, 20), rng)
    assert Condition(bend, STRAIGHT, math.inf).state == state
    assert power[0] <= beside[0].value <= power[1]
    assert bend.units == 40


def test_refits_that_are_alike_have_no_interval() -> None:
    alike = by_refits("n", 1.0, np.ones(30), 8)
    assert (alike.value, alike.error) == (1.0, 0.0)
    assert math.isnan(alike.low)
    assert math.isnan(by_refits("n", math.nan, np.ones(30), 8).low)
