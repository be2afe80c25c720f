"""Claim 21: is a proof easier to check than to find, for small models and for programs?

Dimensions: S seeds.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.checking_easier.figure import draw_both
from mgptn.experiments.claims.checking_easier.measures import MEASURES as MEASURES
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results, wrong_answers
from mgptn.experiments.claims.method.numbers import (
    ANY,
    DIFFERENCE,
    Number,
    Span,
    estimate,
    share,
)
from mgptn.experiments.config.arms import GREEDY, TEMPERATURES
from mgptn.population.measures.answer_errors import errors_by_temperature
from mgptn.population.measures.rates import auc, grader_rates
from mgptn.population.records.arrays import Floats, Truths
from mgptn.population.records.generation import Generation

THRESHOLD = 0.6
MODELS, STEPS = "Founders that write proofs and judge them", "Steps of programs"
SEARCHES = {"searched": "search", "learned": "search that learns"}
"""Column of `effort` → how the page calls it."""

ADVANTAGE: Span = (-2.0, 1.0)


def analyse(results: Results) -> Finding:
    """Areas and shares right of founders; steps of searches over those of the check."""
    told: list[Number] = []
    decisive: list[Number] = []
    above: list[float] = []
    for task in results.values("of"):
        cells = results.of(of=task)
        own = [next(results.generations(cell)) for cell in cells]
        alone = [next(results.generations(cell, GREEDY)) for cell in cells]
        right = np.array([1.0 - wrong_answers(one).mean() for one in own])
        likeliest = np.array(
            [1.0 - errors_by_temperature(one, TEMPERATURES)[:, 0].mean() for one in alone]
        )
        areas = np.array([_area(one) for one in own])
        judged = np.array([_judged(one) for one in own])
        told += [
            share(f"{task}: answered right", _column(right)),
            share(f"{task}: answered right, likeliest", _column(likeliest)),
            share(f"{task}: judged right at the threshold, balanced", _column(judged)),
            estimate(f"{task}: advantage of judging", _column(2.0 * areas - 1.0), span=DIFFERENCE),
        ]
        area = share(f"{task}: area under the curve of its grades", _column(areas))
        name = f"{task}: advantage of judging less answered right"
        less = [
            estimate(name, _column(2.0 * areas - 1.0 - right), span=ADVANTAGE),
            estimate(f"{name}, likeliest", _column(2.0 * areas - 1.0 - likeliest), span=ADVANTAGE),
        ]
        decisive += [area, *less]
        above += [area.p_above(0.5), *(one.p_above(0.0) for one in less)]
    steps, ratios = _effort(results.measured("effort"))
    return Finding.by(
        "checking-easier-than-proving",
        [*decisive, *ratios],
        # All must be shown, so that the largest counts.
        p=worst([*above, *(one.p_above(0.0) for one in ratios)]),
        numbers={MODELS: tuple(told), STEPS: tuple(steps)},
        caveats=CAVEATS,
    )


CAVEATS = (
    "A checker that is exact has an area of 1 on every task, at the price of some thousandths of a "
    "second: what is asked of models is whether they can do without one.",
    "Founders are of a tenth of a million parameters and little trained: that they write few right "
    "proofs says nothing of what models can.",
    "Graders are copies of the author: they judge their own kind of errors.",
    "Steps are counted, and no seconds: by the clock, a solver in C++ (Glucose 4) finds "
    "refutations faster than the checker in Python reads them, at every size that was tried, as "
    "docs/concepts/proofs-and-games.md has it.",
    "A checker that looks only at what the contradiction needs, from the end on, would do fewer "
    "steps than this one, which goes from the beginning and looks at everything.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Above: founders. Below: steps of search over steps of check, by variables."""
    return draw_both(finding.numbers[MODELS], finding.numbers["What decides"], path)


def _effort(table: pl.DataFrame) -> tuple[list[Number], list[Number]]:
    """Mean steps, and the logarithms of their quotients, by number of variables."""
    steps, ratios = [], []
    for (variables,), of in table.group_by(["variables"], maintain_order=True):
        for column in (*SEARCHES, "checked", "lemmas"):
            what = {**SEARCHES, "checked": "check", "lemmas": "lemmas"}[column]
            steps.append(estimate(f"{variables} variables: {what}", _clusters(of, pl.col(column))))
        for column, what in SEARCHES.items():
            logs = (pl.col(column) / pl.col("checked")).log()
            name = f"{variables} variables: ln of {what} over check"
            ratios.append(estimate(name, _clusters(of, logs), span=ANY))
    return steps, ratios


def _clusters(table: pl.DataFrame, column: pl.Expr) -> Floats:
    """A column by seed and formula, float64 [S, F]."""
    by_seed = table.group_by("seed", maintain_order=True).agg(column.alias("value"))
    return np.array(by_seed["value"].to_list(), dtype=np.float64)


def _column(values: Floats) -> Floats:
    """Of seeds as clusters of one, those without a value left out."""
    known = values[~np.isnan(values)]
    return known[:, None] if known.size else np.full((1, 1), math.nan)


def _area(generation: Generation) -> float:
    grades, right = _grades(generation)
    return auc(grades, right)


def _judged(generation: Generation) -> float:
    rates = grader_rates(*_grades(generation), THRESHOLD)
    return (rates.youden_j + 1.0) / 2.0


def _grades(generation: Generation) -> tuple[Floats, Truths]:
    """Each grader's grades [K, A], and which of the answers are right [A]; of known verdicts."""
    outcomes = generation.outcomes
    known = outcomes.known
    return np.clip(outcomes.grade_values()[known].T, 0.0, 1.0), outcomes.verdicts[known]
