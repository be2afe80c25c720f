"""What each arm came to in its last generation, and what its graders were worth there."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from mgptn.experiments.figures.drawing import RUN
from mgptn.experiments.results.sheet import Sheet, sheet
from mgptn.experiments.results.shown import with_interval

RESULTS: tuple[tuple[str, str], ...] = (
    ("gold_error", "gold error [95 % interval]"),
    ("majority_error", "error of the majority's answer"),
    ("best_of_n_error", "error of the best-graded answer"),
    ("acceptance_rate", "share of answers accepted"),
    ("accepted_error", "wrong among the accepted"),
    ("fitness_mean", "fitness, mean"),
    ("fitness_max", "fitness, maximum"),
    ("context_mean", "examples in a context, mean"),
    ("lineages", "lineages alive"),
    ("lineage_diversity", "lineages, Hill number q = 1"),
    ("genotypes", "genotypes"),
    ("effective_size", "effective population size"),
    ("identity_by_descent", "pairs of agents of one founder"),
    ("identity_expected", "pairs of agents of one founder, as drift by the rates expects"),
    ("collision", "pairs both wrong that gave the same answer"),
    ("agreed_share", "problems to which all gave the same answer"),
    ("agreed_error", "wrong among the answers that all gave"),
    ("answers", "answers"),
    ("truncated_answers", "answers cut off"),
    ("unknown_verdicts", "answers without a verdict"),
    ("unreadable_grades", "grades that could not be read"),
)
"""Column of the table of generations → row of the table of results."""

WORTH: tuple[tuple[str, str], ...] = (
    ("tpr", "TPR of the selector: right answers accepted"),
    ("fpr", "FPR of the selector: wrong answers accepted"),
    ("youden_j", "J = TPR − FPR"),
    ("likelihood_ratio", "Λ = TPR / FPR"),
    ("grader_tpr", "TPR of one grade"),
    ("grader_fpr", "FPR of one grade"),
    ("grader_j", "J of one grade"),
    ("grader_auc", "AUC of one grade"),
    ("grader_ece", "expected calibration error of one grade"),
    ("grader_brier", "Brier score of one grade"),
    ("grader_correlation", "correlation of two graders on wrong answers"),
    ("effective_graders", "effective independent graders"),
    ("disagreement", "standard deviation of an answer's grades, mean"),
    ("grade_bias", "mean grade less the share of right answers"),
    ("position_bias", "position bias of comparisons"),
    ("turn_error", "error of drafts, candidates and rivals"),
    ("option_mass", "probability of the options graded with, mean"),
    ("option_mass_least", "probability of the options graded with, least"),
)
"""Column of the table of generations → row of the table of what the graders are worth."""


def results_of(generations: pl.DataFrame, arms: Sequence[str]) -> Sheet:
    """Each arm's last generation, a measure a row."""
    rows = [_row(generations, arm, last=True) for arm in arms]

    def cell(row: dict[str, Any], column: str) -> Any:
        if column != "gold_error":
            return row[column]
        return with_interval(row[column], row["gold_error_low"], row["gold_error_high"])

    return sheet(
        _heads(list(zip(arms, rows, strict=True))),
        [(label, [cell(row, column) for row in rows]) for column, label in RESULTS],
    )


def worth_of(generations: pl.DataFrame, arms: Sequence[str]) -> Sheet:
    """The graders against the verifier: the run's first and last generation, the others' last."""
    columns: list[tuple[str, dict[str, Any]]] = []
    for arm in arms:
        row = _row(generations, arm, last=True)
        first = _row(generations, arm, last=False)
        if not _graded(row):
            continue
        if arm == RUN and first["generation"] != row["generation"]:
            columns.append((arm, first))
        columns.append((arm, row))
    return sheet(
        _heads(columns),
        [(label, [row[column] for _, row in columns]) for column, label in WORTH],
    )


def _graded(row: dict[str, Any]) -> bool:
    """Was anything graded there? Where nothing was, a jury still has a size."""
    values = (row[column] for column, _ in WORTH if column != "effective_graders")
    return any(value is not None and not math.isnan(value) for value in values)


def _row(generations: pl.DataFrame, arm: str, last: bool) -> dict[str, Any]:
    rows = generations.filter(pl.col("arm") == arm).sort("generation")
    return rows.row(len(rows) - 1 if last else 0, named=True)


def _heads(columns: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """Arm and generation of each column; the arm alone where the generation is always the same."""
    if len({row["generation"] for _, row in columns}) == 1:
        return [arm for arm, _ in columns]
    return [f"{arm}, generation {row['generation']}" for arm, row in columns]
