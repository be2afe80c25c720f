"""Numbers, conditions and verdicts of experiments, and the correction across them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mgptn.experiments.claims.method.finding import (
    Finding,
    Number,
    above,
    decide,
    estimate,
    holm,
    resampled,
    share_at_or_below,
    short,
    within,
)


def number(low: float, value: float, high: float) -> Number:
    return Number("n", value, low, high)


@pytest.mark.parametrize(
    ("given", "state"),
    [((0.1, 0.2, 0.3), "shown"), ((-0.1, 0.2, 0.3), "open"), ((-0.1, 0.0, 0.3), "refuted")],
)
def test_who_claims_more_must_show_it(given: tuple[float, float, float], state: str) -> None:
    assert above(number(*given), 0.0).state == state


@pytest.mark.parametrize(
    ("given", "state"),
    [((-0.1, 0.0, 0.1), "shown"), ((-0.1, 0.3, 0.4), "open"), ((0.3, 0.4, 0.5), "refuted")],
)
def test_a_prediction_is_refuted_by_an_interval_outside(
    given: tuple[float, float, float], state: str
) -> None:
    assert within(number(*given), -0.2, 0.2).state == state


def test_what_is_undefined_shows_nothing() -> None:
    nothing = number(math.nan, math.nan, math.nan)
    assert above(nothing, 0.0).state == within(nothing, -1.0, 1.0).state == "refuted"


def test_the_verdict_is_the_worst_condition() -> None:
    shown, open_, refuted = (above(number(*v), 0.0) for v in ((1, 1, 1), (-1, 1, 1), (-1, -1, 1)))
    assert decide([shown, shown])[0] == "holds"
    assert decide([shown, open_]) == ("undecided", (open_.told,))
    assert decide([open_, refuted, shown]) == ("fails", (refuted.told,))


def test_holm_by_hand() -> None:
    # Sorted .01, .02, .03, .2 of four: .04, .06, .06, .2.
    given = {"a": 0.02, "b": 0.2, "c": 0.01, "d": 0.03, "untested": math.nan}
    corrected = holm(given)
    expected = {"a": 0.06, "b": 0.2, "c": 0.04, "d": 0.06}
    assert {name: corrected[name] for name in expected} == pytest.approx(expected)
    assert math.isnan(corrected["untested"])
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}


def test_the_bootstrap_draws_seeds_then_problems() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.normal(0.0, 1.0, (40, 1))
    clusters = seeds + rng.normal(0.0, 0.1, (40, 30))
    samples = resampled("draws", clusters, lambda means: means, draws=4000)
    # Problems of a seed go together: the spread is that of forty seeds, not of 1200 problems.
    assert samples.std() == pytest.approx(clusters.mean(axis=1).std() / math.sqrt(40), rel=0.06)
    assert samples.mean() == pytest.approx(clusters.mean(), abs=0.02)
    again = estimate("draws", clusters, lambda means: means, draws=4000)
    assert again == estimate("draws", clusters, lambda means: means, draws=4000)
    assert again.value == pytest.approx(clusters.mean())
    assert (again.low, again.high) == pytest.approx(tuple(np.quantile(samples, [0.025, 0.975])))
    assert share_at_or_below(samples, -100.0) == 1 / 4001


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
