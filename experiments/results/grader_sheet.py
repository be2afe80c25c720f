"""What each kind of grader was worth in a run's last generation, with intervals."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import polars as pl

from mgptn.experiments.figures.drawing import RUN
from mgptn.experiments.results.sheet import Sheet, sheet
from mgptn.experiments.results.shown import with_interval

KINDS: tuple[tuple[str, str], ...] = (
    ("tpr", "TPR"),
    ("fpr", "FPR"),
    ("youden_j", "J = TPR − FPR"),
    ("likelihood_ratio", "Λ = TPR / FPR"),
    ("auc", "AUC"),
    ("ece", "expected calibration error"),
    ("brier", "Brier score"),
    ("correlation", "correlation of two on wrong answers"),
    ("effective_graders", "effective independent graders"),
    ("self_preference", "self-preference: own grade less others' of the same answer"),
    ("own_bias", "own grade less verdict"),
    ("own_tpr", "TPR of own grades"),
    ("own_fpr", "FPR of own grades"),
    ("position_bias", "position bias of comparisons"),
)
"""Measure of the table of graders → row of the table of kinds of graders."""

_COUNTS = (("grades", "grades"), ("unreadable", "grades that could not be read"))


def graders_of(graders: pl.DataFrame) -> Sheet:
    """Every different kind of grader: all of them are no kind beside their only model."""
    here = graders.filter(pl.col("arm") == RUN)
    here = here.filter(pl.col("generation") == pl.col("generation").max())
    if here["model"].n_unique() == 2:
        here = here.filter(pl.col("model") != "all")
    rows = list(here.iter_rows(named=True))
    return sheet(
        [_head(row) for row in rows],
        [
            *((label, [row[column] for row in rows]) for column, label in _COUNTS),
            *((label, [_cell(row, column) for row in rows]) for column, label in KINDS),
        ],
    )


def _head(row: dict[str, Any]) -> str:
    role = "" if row["role"] == "all" else f", {row['role']}"
    return f"{row['model']}{role} ({row['agents']})"


def _cell(row: dict[str, Any], column: str) -> str:
    return with_interval(*(row[f"{column}{end}"] for end in ("", "_low", "_high")))
