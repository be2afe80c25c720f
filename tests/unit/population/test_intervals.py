"""Intervals of few seeds: by hand, never of width zero, and covering what they say."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from mgptn.population.draws.streams import stream
from mgptn.population.intervals.shares import (
    agreed_interval,
    clopper_pearson,
    difference_interval,
    share_interval,
)
from mgptn.population.intervals.spread import (
    Spread,
    apart,
    p_above,
    spread,
    t_interval,
    times,
    units_to_reach,
)
from mgptn.population.records.arrays import Floats

GRID = list(itertools.product((4, 6, 8, 16), (16, 64), (0.0, 0.1, 0.3)))
"""Seeds, problems of each, and the correlation of a seed's problems."""


def test_the_interval_of_a_mean_is_students() -> None:
    found = spread(np.array([1.0, 2.0, 4.0, 5.0]))
    # s² = 10/3, s/√4 = .913; t of 3 degrees of freedom is 3.182.
    assert found == pytest.approx(Spread(3.0, 0.91287, 4, 3), rel=1e-4)
    assert t_interval(found) == pytest.approx((3.0 - 2.9052, 3.0 + 2.9052), abs=1e-4)
    # (3 − 1)/.913 = 2.191 with 3 degrees of freedom: .0581.
    assert p_above(found, 1.0) == pytest.approx(0.0581, abs=1e-4)


def test_the_error_of_a_quotient_is_the_delta_methods() -> None:
    rng = np.random.default_rng(0)
    pairs = np.stack([rng.normal(2.0, 0.1, 400), rng.normal(4.0, 0.1, 400)], axis=-1)
    found = spread(pairs, lambda means: means[:, 0] / means[:, 1])
    expected = math.hypot(0.1 / 2.0, 0.1 / 4.0) * 0.5 / math.sqrt(400)
    assert found.value == pytest.approx(0.5, rel=0.01)
    assert found.error == pytest.approx(expected, rel=0.1)


def test_what_hangs_on_one_unit_has_no_error() -> None:
    pairs = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])

    def share(means: Floats) -> Floats:
        return np.asarray(means[:, 0] / np.where(means[:, 1] > 0.0, means[:, 1], np.nan))

    assert math.isnan(spread(pairs, share).error)
    assert math.isnan(spread(np.array([0.3])).error)


def test_units_of_two_kinds_have_welchs_freedom() -> None:
    one, other = Spread(1.0, 0.3, 5, 4), Spread(0.4, 0.4, 9, 8)
    found = apart(one, other)
    assert (found.value, found.error) == pytest.approx((0.6, 0.5))
    assert found.freedom == pytest.approx(0.25**2 / (0.09**2 / 4 + 0.16**2 / 8))


def test_what_all_units_agree_on_has_a_width() -> None:
    nothing = spread(np.zeros(8))
    assert nothing.error == 0.0
    # 8 units of 64 at a correlation of .1 are worth 512 / 7.3 = 70.1 trials: 1 − .025^(1/70.1).
    worth = 512 / 7.3
    low, high = share_interval(nothing, 64)
    assert (low, high) == pytest.approx((0.0, 1.0 - 0.025 ** (1.0 / worth)))
    low, high = difference_interval(nothing, 64)
    assert -low == pytest.approx(high) == pytest.approx(1.0 - 0.025 ** (1.0 / worth))
    assert all(map(math.isnan, agreed_interval(nothing, 64, (0.0, math.inf))))
    assert all(map(math.isnan, t_interval(nothing)))
    # Five founder sets that are all above: no test of their signs says more than 2⁻⁵.
    assert p_above(spread(np.full(5, 3.0)), 1.0) == 1 / 32
    assert p_above(spread(np.full(5, 1.0)), 1.0) == 1.0


def test_clopper_pearson_by_hand() -> None:
    # 3 of 10, the textbook's: .0667 to .6525.
    assert clopper_pearson(3, 10) == pytest.approx((0.06674, 0.65245), abs=1e-5)
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 0.30850), abs=1e-5)
    assert clopper_pearson(10, 10) == pytest.approx((0.69150, 1.0), abs=1e-5)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_as_many_units_as_are_told_do_reach_a_margin() -> None:
    found = spread(np.array([1.0, 2.0, 4.0, 5.0]))
    deviation = found.error * 2.0
    for margin in (0.2, 1.0, 2.5):
        count = units_to_reach(found, margin)
        assert count is not None
        half = [
            t_interval(Spread(0.0, deviation / math.sqrt(n), n, n - 1)).high
            for n in (count, count - 1)
        ]
        assert half[0] < margin <= half[1]
    assert units_to_reach(found, 1e-6) is None
    assert units_to_reach(spread(np.zeros(4)), 1.0) is None


def covered(
    seeds: int, problems: int, correlation: float, runs: int, share: float
) -> tuple[int, int]:
    """How often the intervals of a normal mean and of a share have the truth, of so many runs."""
    rng = stream(0, "coverage", seeds, problems, repr((correlation, share)))
    normal = rng.normal(0.0, math.sqrt(correlation), (runs, seeds))
    normal += rng.normal(0.0, math.sqrt((1.0 - correlation) / problems), (runs, seeds))
    rates = np.full((runs, seeds), share)
    if correlation:
        strength = (1.0 - correlation) / correlation
        rates = rng.beta(share * strength, (1.0 - share) * strength, (runs, seeds))
    shares = rng.binomial(problems, rates) / problems
    means = sum(_has(t_interval(spread(row)), 0.0) for row in normal)
    return means, sum(_has(share_interval(spread(row), problems), share) for row in shares)


def _has(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


@pytest.mark.parametrize(("seeds", "problems", "correlation"), [(4, 16, 0.3), (8, 64, 0.1)])
def test_intervals_cover_what_they_say_shortly(
    seeds: int, problems: int, correlation: float
) -> None:
    """Of 600 draws, .95 nominal. False alarm below 1e-6 where coverage is .93 to .97."""
    runs = 600
    low, high = binom.ppf(2e-7, runs, 0.93), binom.ppf(1 - 2e-7, runs, 0.97)
    for found in covered(seeds, problems, correlation, runs, 0.4):
        assert low <= found <= high
    # A percentile bootstrap, which covers .83 of 4 seeds, is told from these: power .99.
    assert binom.cdf(low - 1, runs, 0.83) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "problems", "correlation"), GRID)
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_intervals_cover_between_93_and_97_percent(
    seeds: int, problems: int, correlation: float, share: float
) -> None:
    """Of 10,000 draws. False alarm below 1e-6 where coverage is .941 to .959, as measured."""
    runs = 10_000
    for found in covered(seeds, problems, correlation, runs, share):
        assert 0.93 <= found / runs <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "problems", "correlation"), GRID)
def test_intervals_of_rare_shares_cover_less(seeds: int, problems: int, correlation: float) -> None:
    """Of a share of .1: .86 at least; four seeds that all have none are given much, .99."""
    runs = 10_000
    _, found = covered(seeds, problems, correlation, runs, 0.1)
    assert (0.93 if not correlation else 0.85) <= found / runs <= 0.995


def logits(of: Spread) -> tuple[float, float]:
    """Student's interval of a share's logit."""
    half = times(of.freedom) * of.error / (of.value * (1.0 - of.value))
    ends = math.log(of.value / (1.0 - of.value)) + np.array([-half, half])
    return tuple((1.0 / (1.0 + np.exp(-ends))).tolist())


def arcsines(of: Spread) -> tuple[float, float]:
    """Student's interval of the arcsine of a share's root."""
    half = times(of.freedom) * of.error / math.sqrt(4.0 * of.value * (1.0 - of.value))
    ends = math.asin(math.sqrt(of.value)) + np.array([-half, half])
    return tuple((np.sin(np.clip(ends, 0.0, math.pi / 2.0)) ** 2).tolist())


def exact(of: Spread) -> tuple[float, float]:
    """Clopper–Pearson's of as many trials as the error is worth, and Student's t of so few units.

    Korn & Graubard 1998.
    """
    worth = of.value * (1.0 - of.value) / of.error**2 * (1.96 / times(of.freedom)) ** 2
    return clopper_pearson(of.value * worth, worth)


@pytest.mark.slow
@pytest.mark.parametrize("other", [logits, arcsines, exact])
def test_no_other_interval_covers_rare_shares_either(
    other: Callable[[Spread], tuple[float, float]],
) -> None:
    """Of .1, six seeds of 64 problems, correlation .3; where all agree, all are as ours.

    Of 10,000 draws: a true coverage of .93 would be missed by .01 with probability 1e-4.
    """
    runs, seeds, problems, share = 10_000, 6, 64, 0.1
    rng = stream(0, "rare", other.__name__)
    rates = rng.beta(share * 0.7 / 0.3, 0.9 * 0.7 / 0.3, (runs, seeds))
    hits = 0
    for row in rng.binomial(problems, rates) / problems:
        of = spread(row)
        hits += _has(other(of) if of.error else share_interval(of, problems), share)
    assert 0.8 < hits / runs < 0.92
