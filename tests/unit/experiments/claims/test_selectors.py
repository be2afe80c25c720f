"""Whether rates or identity explain cells' falls: fits on data whose rule is known."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from mgptn.experiments.claims.method.numbers import estimate
from mgptn.experiments.claims.selectors.analysis import (
    BAD_TAKEN,
    BOTH_TAKEN,
    END,
    FIRST,
    GOOD_TAKEN,
    ONE_TAKEN,
    PAIRS,
    TWIN_END,
    WRONG,
    _more,
    _residual,
    _share,
    correlation,
    design,
    fall_of,
    left_out,
    predicted_share,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.theory.classification import filtered_error

WHO = [name for name in ("oracle", "human", "peers", "self") for _ in range(6)]
SEEDS, PROBLEMS = 6, 12


def cells(offsets: dict[str, float], noise: float = 0.01, seed: int = 0) -> Floats:
    """float64 [S, Q, C, 9]: falls are one round's gain, and what a selector adds by itself."""
    rng = np.random.default_rng(seed)
    tpr, fpr, rho = (rng.uniform(*span, len(WHO)) for span in ((0.5, 1), (0.02, 0.5), (0, 0.5)))
    gains = 0.5 - np.array([filtered_error(0.5, p, f) for p, f in zip(tpr, fpr, strict=True)])
    gains += [offsets.get(name, 0.0) for name in WHO]
    row = np.zeros((len(WHO), 9))
    row[:, [WRONG, FIRST, TWIN_END]] = 0.5
    row[:, GOOD_TAKEN], row[:, BAD_TAKEN] = tpr / 2, fpr / 2
    row[:, PAIRS], row[:, ONE_TAKEN] = 2.0, 2.0 * fpr
    row[:, BOTH_TAKEN] = 2.0 * (fpr**2 + rho * fpr * (1.0 - fpr))
    row[:, END] = 0.5 - gains
    data = np.broadcast_to(row, (SEEDS, PROBLEMS, *row.shape)).copy()
    data[..., END] += rng.normal(0.0, noise, data.shape[:3])
    return data


def test_a_rule_that_all_selectors_follow_is_found_and_identity_adds_nothing() -> None:
    data = cells({})
    assert estimate("rates", data, _share(WHO, True, False)).low > 0.98
    more = estimate("more", data, _more(WHO))
    assert more.high < 0.02
    # Identity alone says little of cells whose rates were drawn alike.
    assert estimate("identity", data, _share(WHO, False, True)).high < 0.3


def test_a_selector_that_matters_by_itself_is_seen() -> None:
    data = cells({"human": 0.1})
    assert estimate("more", data, _more(WHO)).low > 0.05
    assert estimate("rates", data, _share(WHO, True, False)).high < 0.9
    mine = np.array([name == "human" for name in WHO])
    beyond = estimate("human", data, _residual(mine))
    others = estimate("oracle", data, _residual(np.array([name == "oracle" for name in WHO])))
    assert beyond.low > 0.04
    assert others.high < 0.0


def test_falls_of_noise_alone_are_not_predicted() -> None:
    data = cells({}, noise=0.0)
    rng = np.random.default_rng(3)
    data[..., END] = 0.5 - rng.normal(0.0, 0.1, len(WHO))
    assert estimate("rates", data, _share(WHO, True, False)).value < 0.3


def test_where_all_cells_fall_alike_there_is_nothing_to_predict() -> None:
    data = cells({}, noise=0.0)
    data[..., END] = 0.5
    rates = estimate("rates", data, _share(WHO, True, False))
    assert np.isnan([rates.value, rates.low, rates.high]).all()


def test_what_is_left_out_is_predicted_by_a_fit_to_the_others() -> None:
    means = cells({"self": 0.05}, noise=0.2).mean(axis=(0, 1))[None]
    columns, fall = design(means, WHO), fall_of(means)
    missed = left_out(columns, means)[0]
    for out in range(len(WHO)):
        kept = np.arange(len(WHO)) != out
        fitted, *_ = np.linalg.lstsq(columns[0, kept], fall[0, kept], rcond=None)
        assert missed[out] == pytest.approx(fall[0, out] - columns[0, out] @ fitted)
    nothing = [fall[0, i] - np.delete(fall[0], i).mean() for i in range(len(WHO))]
    expected = 1.0 - np.sum(missed**2) / np.sum(np.square(nothing))
    assert predicted_share(columns, means)[0] == pytest.approx(expected)


@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_the_correlation_of_acceptance_is_the_one_put_in(rho: float) -> None:
    """4000 problems of 8 wrong answers each: five standard errors are below .05."""
    rng = np.random.default_rng(4)
    common = rng.random((4000, 1)) < 0.3
    looks = rng.random((4000, 8)) < np.sqrt(rho)
    taken = np.where(looks, common, rng.random((4000, 8)) < 0.3).sum(axis=1)
    means = np.zeros(9)
    columns = (taken * (taken - 1), np.full(4000, 56), taken * 7)
    means[[BOTH_TAKEN, PAIRS, ONE_TAKEN]] = [column.mean() for column in columns]
    assert correlation(means) == pytest.approx(rho, abs=0.05)


def test_where_nothing_wrong_is_accepted_there_is_no_correlation() -> None:
    means = np.zeros((1, 1, 9))
    assert correlation(means)[0, 0] == 0.0
    means[..., PAIRS] = 10.0
    assert correlation(means)[0, 0] == 0.0
