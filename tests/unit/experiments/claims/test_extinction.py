"""Extinction: the verdict of made-up losses of each kind, and what a trial is."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mgptn.experiments.claims.extinction.analysis import ARMS, analyse
from mgptn.experiments.claims.extinction.lineages import Condition, right_after, said
from mgptn.experiments.claims.method.claim import load_claim
from mgptn.experiments.claims.method.finding import DECIDES
from mgptn.experiments.claims.method.journals import Results, wrong_answers
from mgptn.experiments.config.arms import UNSELECTED
from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats
from mgptn.population.records.matches import Matches
from tests.measured import measured

SEEDS, QUESTIONS = 8, 60


class MadeUp(Results):
    """Six founders, of whom two are right about every second problem, and what arms lose of it."""

    gone: dict[str, float]

    def stacked(self, of: Any, side: str = "selected", **labels: str) -> Floats:
        right = np.zeros((SEEDS, 2, QUESTIONS, 6))
        right[:, :, ::2, :2] = 1.0
        if side != UNSELECTED:
            rng = stream(0, "made up", labels["arm"])
            lost = rng.random((SEEDS, 2, QUESTIONS)) < self.gone[labels["arm"]]
            right *= ~lost[..., None]
        wrong: Floats = 1.0 - right
        return wrong if of is wrong_answers else wrong.mean(axis=-1)


def table(beyond: float, spread: float) -> pl.DataFrame:
    """What every condition loses, so far beyond its chain."""
    rng, rows = stream(1, "table"), []
    for seed in range(SEEDS):
        for name, given in load_claim("extinction").registered.options["conditions"].items():
            condition = Condition.of(given)
            expected = {"m 16, T .5": 0.9, "m 32, T 2": 0.9, "m 8, T 2": 0.7}.get(name, 0.3)
            rows.append(
                {
                    "seed": seed,
                    "condition": name,
                    "size": condition.size,
                    "temperature": condition.temperature,
                    "trials": 60,
                    "lost": expected + beyond + float(rng.normal(0.0, spread)),
                    "expected": expected,
                    "fixation": 1.0 - expected,
                    "diffusion": math.nan,
                }
            )
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("beyond", "spread", "gone", "verdict", "why"),
    [
        (0.0, 0.02, (0.9, 0.5, 0.3, 0.4), "holds", "less in demes"),
        (0.2, 0.02, (0.9, 0.5, 0.3, 0.4), "fails", "beyond what theory says"),
        (0.0, 0.02, (0.5, 0.2, 0.9, 0.2), "fails", "less in demes"),
        (0.0, 0.02, (0.6, 0.9, 0.3, 0.4), "fails", "less to a coin"),
        (0.0, 0.4, (0.9, 0.5, 0.3, 0.4), "undecided", "beyond what theory says"),
        (0.0, 0.02, (0.5, 0.5, 0.3, 0.3), "undecided", "less to a coin"),
    ],
)
def test_the_verdict_follows_what_is_lost(
    beyond: float, spread: float, gone: tuple[float, ...], verdict: str, why: str, tmp_path: Path
) -> None:
    made = MadeUp(measured(tmp_path, {"lineages": table(beyond, spread)}).folder, ())
    MadeUp.gone = dict(zip(ARMS, gone, strict=True))
    found = analyse(made)
    assert found.verdict == verdict, found.why
    assert any(why in sentence for sentence in found.why), found.why
    few = found.number("Founders' weights", "founders: problems with a right minority")
    assert few.value == 0.5
    apart = found.number(DECIDES, "founders: lost to the majority, less in demes")
    assert apart.value == pytest.approx(gone[0] - gone[2], abs=0.1)


def test_who_says_the_same_votes_for_it() -> None:
    right = np.array([True, False, False])
    matches = Matches(np.arange(3), 1, np.array([[1, 2], [0, 2], [0, 1]]))
    outcomes = said(matches, right)
    assert outcomes.grade_values().tolist() == [[0, 0], [0, 1], [0, 1]]
    assert outcomes.verdicts.tolist() == [True, False, False]


def test_a_trial_ends_where_nothing_changes_any_more() -> None:
    assert right_after(Condition(4, 0, 1.0), 5, 0, "none") == 0
    assert right_after(Condition(4, 4, 1.0), 5, 0, "all") == 4
    still = Condition(4, 2, math.inf)
    assert [right_after(still, 3, 7, f"{k}") for k in range(9)] == [
        right_after(still, 3, 7, f"{k}") for k in range(9)
    ]
