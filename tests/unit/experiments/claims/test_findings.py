"""Numbers, conditions and verdicts of experiments, and the correction across them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mgptn.experiments.claims.method.deciding import Condition, decide
from mgptn.experiments.claims.method.finding import Finding, holm, worst
from mgptn.experiments.claims.method.numbers import Number, ends, estimate, share, short


def number(low: float, value: float, high: float) -> Number:
    return Number("n", value, low, high)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ((0.1, 0.2, 0.3), "shown"),
        ((-0.1, 0.2, 0.3), "open"),
        ((-0.1, -0.05, 0.3), "open"),
        ((-0.3, -0.2, -0.1), "refuted"),
        ((math.nan, 0.5, math.nan), "open"),
        ((math.nan, math.nan, math.nan), "open"),
    ],
)
def test_a_whole_interval_decides(given: tuple[float, float, float], state: str) -> None:
    assert Condition(number(*given), 0.0, math.inf).state == state
    low, value, high = given
    assert Condition(number(-high, -value, -low), -math.inf, 0.0).state == state


@pytest.mark.parametrize(
    ("given", "state"),
    [((-0.1, 0.0, 0.1), "shown"), ((-0.1, 0.3, 0.4), "open"), ((0.3, 0.4, 0.5), "refuted")],
)
def test_a_prediction_is_refuted_by_an_interval_outside(
    given: tuple[float, float, float], state: str
) -> None:
    assert Condition(number(*given), -0.2, 0.2).state == state


def test_the_verdict_is_the_worst_condition() -> None:
    shown, open_, refuted = (
        Condition(number(*v), 0.0, math.inf) for v in ((1, 2, 3), (-1, 1, 2), (-3, -2, -1))
    )
    assert decide([shown, shown])[0] == "holds"
    assert decide([shown, open_]) == ("undecided", (open_.told,))
    assert decide([open_, refuted, shown]) == ("fails", (refuted.told,))


def test_a_number_is_of_seeds_and_of_one_seed_of_its_problems() -> None:
    rng = np.random.default_rng(0)
    clusters = rng.normal(0.0, 1.0, (6, 1)) + rng.normal(0.0, 0.1, (6, 30))
    found = estimate("n", clusters)
    assert (found.units, found.unit) == (6, "seeds")
    assert found.error == pytest.approx(clusters.mean(axis=1).std(ddof=1) / math.sqrt(6))
    one = estimate("n", clusters[:1])
    assert (one.units, one.unit) == (30, "problems")
    assert one.error == pytest.approx(clusters[0].std(ddof=1) / math.sqrt(30))
    assert estimate("n", clusters, span=(found.value - 0.1, found.value + 0.1)).low == (
        pytest.approx(found.value - 0.1)
    )
    alike = share("n", np.ones((6, 30)))
    assert (alike.value, alike.high) == (1.0, 1.0)
    assert 0.8 < alike.low < 0.95
    assert alike.told().endswith("no spread between seeds)")
    assert estimate("n", np.ones((6, 30))).told() == "1.00 (no spread between seeds)"


def test_holm_by_hand() -> None:
    # Sorted .01, .02, .03, .2 of four: .04, .06, .06, .2.
    given = {"a": 0.02, "b": 0.2, "c": 0.01, "d": 0.03, "untested": math.nan}
    corrected = holm(given)
    expected = {"a": 0.06, "b": 0.2, "c": 0.04, "d": 0.06}
    assert {name: corrected[name] for name in expected} == pytest.approx(expected)
    assert math.isnan(corrected["untested"])
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}


def test_the_worst_of_several_tests_is_the_largest() -> None:
    assert worst([0.1, 0.3, 0.2]) == 0.3
    assert math.isnan(worst([]))
    assert math.isnan(worst([0.1, math.nan]))


def test_a_finding_survives_its_file() -> None:
    finding = Finding(
        verdict="undecided",
        why=("because",),
        p=math.nan,
        numbers={"group": (number(-0.1, 0.5, 1.0), Number("none", math.nan, math.nan, math.nan))},
        caveats=("little",),
        curves={"error": (0.5, math.nan)},
    )
    text = json.dumps(finding.to_plain(), allow_nan=False)
    again = Finding.from_plain(json.loads(text))
    assert repr(again) == repr(finding)
    assert again.number("group", "n") == number(-0.1, 0.5, 1.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, ".250"), (-0.25, "−.250"), (-1.5, "−1.50"), (math.nan, "undefined"), (0.0, ".000"),
     (10.05, "10.05"), (-0.0, ".000")],
)  # fmt: skip
def test_numbers_are_told_short(value: float, text: str) -> None:
    assert short(value) == text


def test_an_interval_is_never_told_as_of_width_zero() -> None:
    assert ends(1.0213, 1.0229) == ("1.021", "1.023")
    assert ends(0.25, 0.5) == (".250", ".500")
    assert ends(0.00378, 0.00421) == (".0038", ".0042")
    assert ends(-1.2e-5, 1.2e-5) == ("−1.2e-05", "1.2e-05")
    assert Number("n", 1.022, 1.0213, 1.0229).told() == "1.02 (1.021 to 1.023)"
