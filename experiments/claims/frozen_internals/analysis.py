"""Claim: freezing weights in a model's internals costs little.

Dimensions: S seeds (founders), Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.frozen_internals.figure import draw_recovered
from mgptn.experiments.claims.frozen_internals.measures import (
    ASKED,
    BASE,
    CHOSEN,
    EDGES,
    FULL,
    KNOWN,
    measure_lessons,
)
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, plain, share
from mgptn.experiments.claims.method.statistics import first_less_second
from mgptn.population.records.arrays import Floats

MEASURES = {"lessons": measure_lessons}
RECOVERED = "Recovered of what all weights learn"


def analyse(results: Results) -> Finding:
    """What each part of the weights recovers of what all of them learn."""
    table = _at_best_rates(results.measured("lessons"))
    arms = [arm for arm in table["arm"].unique(maintain_order=True) if arm != BASE]
    right = {arm: _right(table, arm, ASKED) for arm in (BASE, *arms)}
    known = {arm: _right(table, arm, KNOWN) for arm in (BASE, *arms)}
    gain = estimate(
        "right with all weights, above the base",
        np.stack([right[FULL], right[BASE]], -1),
        first_less_second,
        DIFFERENCE,
    )
    recovered = {arm: _recovered(arm, right) for arm in arms if arm != FULL}
    return Finding.by(
        "frozen-internals",
        [gain, recovered[EDGES]],
        p=recovered[EDGES].p_below(0.8),
        numbers={
            RECOVERED: tuple(recovered[arm] for arm in arms if arm != FULL),
            "Right on the size that is learned": tuple(
                share(f"{arm}: right", right[arm]) for arm in (BASE, *arms)
            ),
            "Right on a known size": tuple(
                share(f"{arm}: right", known[arm]) for arm in (BASE, *arms)
            ),
            "Share of the weights": tuple(
                plain(f"{arm}: {what}", float(np.asarray(table.filter(arm=arm)[what].mean())))
                for arm in arms
                for what in ("trained", "changed")
            ),
        },
        caveats=CAVEATS,
    )


CAVEATS = (
    "One lesson of right answers, a digit or two beyond what was known, by founders of 0.12 "
    "million parameters in two layers: what is inside them is most of what they have between "
    "reading and saying.",
    "Each arm has the better of the same rates, chosen by its own answers to other problems; more "
    "steps may let a part catch up.",
    "C is a quotient: where all weights learn little it is uncertain, and its interval says so. "
    "Layer norms and places belong to no part but all.",
    "Selection is left out: a lesson of accepted answers, some of which are wrong, may differ.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """What is recovered, against the share of weights that were trained."""
    return draw_recovered(finding, path)


def _at_best_rates(table: pl.DataFrame) -> pl.DataFrame:
    """Of each seed and arm the rows with the rate by which it answers the choosing exam best."""
    scores = (
        table.filter(exam=CHOSEN)
        .group_by("seed", "arm", "rate")
        .agg(pl.col("right").cast(pl.Float64).mean())
        .sort("seed", "arm", "right", "rate", descending=[False, False, True, False])
        .unique(["seed", "arm"], keep="first", maintain_order=True)
    )
    return table.join(scores.select("seed", "arm", "rate"), on=["seed", "arm", "rate"])


def _right(table: pl.DataFrame, arm: str, exam: str) -> Floats:
    """float64 [S, Q]."""
    rows = table.filter(arm=arm, exam=exam).sort("seed", "problem")
    values = rows["right"].cast(pl.Float64).to_numpy()
    return np.asarray(values.reshape(rows["seed"].n_unique(), -1))


def _recovered(arm: str, right: dict[str, Floats]) -> Number:
    """C = (S_k − S_base) / (S_full − S_base); NaN where all weights learn nothing."""
    three = np.stack([right[arm], right[BASE], right[FULL]], -1)
    return estimate(f"C, {arm} alone", three, quotient)


def quotient(means: Floats) -> Floats:
    """C of each row of means of an arm, the base, and all weights, [D, 3]."""
    whole = means[:, 2] - means[:, 1]
    return np.asarray((means[:, 0] - means[:, 1]) / np.where(whole > 0.0, whole, np.nan))
