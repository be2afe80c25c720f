"""Every registered condition can be shown, refuted and left open, and the claim follows it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from mgptn.experiments.claims.method.claim import claim_names, load_claim
from mgptn.experiments.claims.method.deciding import Condition, Decides, conditions_of, decide
from mgptn.experiments.claims.method.earlier import EARLIER, changes_since
from mgptn.experiments.claims.method.numbers import Number
from mgptn.experiments.claims.page import page
from mgptn.experiments.claims.running import read_recorded
from tests.rooms import ROOT

REGISTERED = [
    pytest.param(name, place, id=f"{name}-{place}")
    for name in claim_names()
    for place in range(len(load_claim(name).registered.decides))
]
STATES = {"shown": "holds", "refuted": "fails", "open": "undecided"}


def made_up(of: Decides, state: str) -> Number:
    """A number that it can be, with an interval of some width that it can have."""
    (low, high), (least, most) = of.bounds, of.can_be
    bottom, top = max(low, least), min(high, most)
    bottom = top - 1.0 if math.isinf(bottom) else bottom
    top = bottom + 1.0 if math.isinf(top) else top
    width = top - bottom
    inside = (bottom + width / 4, bottom + width / 2, bottom + 3 * width / 4)
    if state == "shown":
        found = inside
    elif low > least:  # there is room below
        room = 1.0 if math.isinf(low - least) else low - least
        found = (low - room / 2, low - room / 4, low)
    else:
        room = 1.0 if math.isinf(most - high) else most - high
        found = (high, high + room / 4, high + room / 2)
    if state == "open":
        found = (min(inside[0], found[0]), inside[1], max(inside[2], found[2]))
    assert least <= found[0] < found[2] <= most
    name = of.what.replace("*", "some")
    return Number(name, found[1], found[0], found[2], error=(found[2] - found[0]) / 4, units=8)


@pytest.mark.parametrize(("name", "place"), REGISTERED)
@pytest.mark.parametrize("state", STATES)
def test_an_outcome_of_each_kind_gives_each_verdict(name: str, place: int, state: str) -> None:
    registered = load_claim(name).registered.decides
    numbers = [made_up(one, "shown") for one in registered]
    numbers[place] = made_up(registered[place], state)
    conditions = conditions_of(registered, numbers)
    # A pattern must not decide what another has already.
    assert len(conditions) == len(registered)
    verdict, why = decide(conditions)
    assert verdict == STATES[state]
    if state != "shown":
        assert why == (conditions[place].told,)
    if state == "open":
        assert "would decide" in why[0]


def test_what_no_analysis_says_decides_nothing() -> None:
    registered = load_claim("gaming").registered.decides
    assert decide(conditions_of(registered, []))[0] == "undecided"
    strange = Number("something else", 1.0, 0.9, 1.1)
    with pytest.raises(ArithmeticError, match="expected a registered condition of"):
        conditions_of(registered, [strange])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"above": 0.0}, "or it cannot fail"),
        ({"above": 1.0}, "or it cannot hold"),
        ({"above": -0.5, "below": 2.0}, "or it cannot fail"),
        ({}, "neither"),
        ({"above": 0.5, "below": 0.2}, "above < below"),
    ],
)
def test_a_condition_that_cannot_fail_or_hold_is_refused(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Decides.model_validate({"what": "a share", "can_be": [0, 1], **change})


def test_how_many_seeds_would_decide_is_told() -> None:
    # s/√n = .1 of 4 seeds: s = .2. From .05 away: t(n − 1)·.2/√n < .05 from n = 64 on.
    number = Number("n", 0.15, -0.17, 0.47, error=0.1, units=4)
    told = Condition(number, 0.1, math.inf).told
    assert told.endswith("expected above .100; some 64 seeds would decide it, 60 more")
    assert "decide" not in Condition(number, -0.2, math.inf).told
    undefined = Condition(Number("n", math.nan, math.nan, math.nan), 0.0, 1.0)
    assert undefined.state == "open"
    assert undefined.told.endswith("undefined, so that nothing decides it")


def test_a_registration_that_was_changed_is_shown_with_its_difference() -> None:
    earlier = {path.stem.partition("-")[2] for path in EARLIER.glob("*.yaml")}
    assert earlier <= set(claim_names())
    for name in earlier:
        lines = changes_since(name)
        assert any(line.startswith("+") for line in lines[2:])
        recorded = read_recorded(ROOT / "docs" / "results" / f"{name}.json")
        assert "\n".join(lines) in page(load_claim(name), recorded)
