"""Two tables of what graders are worth: every measure of every kind, and their reliability."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from mgptn.population.measures.grade_tally import BINS
from mgptn.population.measures.grader_measures import ESTIMATES, GraderMeasures

_STRING, _INTEGER, _FLOAT = pl.String(), pl.Int64(), pl.Float64()
_KIND: dict[str, pl.DataType] = {
    "arm": _STRING,
    "generation": _INTEGER,
    "model": _STRING,
    "role": _STRING,
}

GRADER_SCHEMAS: dict[str, dict[str, pl.DataType]] = {
    "graders": {
        **_KIND,
        "agents": _INTEGER,
        "grades": _INTEGER,
        "unreadable": _INTEGER,
        **{f"{name}{end}": _FLOAT for name in ESTIMATES for end in ("", "_low", "_high")},
    },
    "reliability": {
        **_KIND,
        "bin_low": _FLOAT,
        "bin_high": _FLOAT,
        "grades": _INTEGER,
        "grade_mean": _FLOAT,
        "right": _FLOAT,
        "right_low": _FLOAT,
        "right_high": _FLOAT,
    },
}
"""Columns of each table, in order.

`graders` has a row for all graders of a generation, for each model, and for each role of a model
where some of its copies are not ordinary; ``"all"`` stands where a column does not tell apart.
`reliability` has a row for each tenth of the scale in which such graders gave grades. An interval
is of 95 %, by leaving out problems.
"""


def grader_frame(arm: str, generation: int, graders: Sequence[GraderMeasures]) -> pl.DataFrame:
    """A row for each kind of grader."""
    rows = [
        {
            **_key(arm, generation, one),
            "agents": one.agents,
            "grades": one.grades,
            "unreadable": one.unreadable,
            **{
                f"{name}{end}": value
                for name in ESTIMATES
                for end, value in zip(("", "_low", "_high"), getattr(one, name), strict=True)
            },
        }
        for one in graders
    ]
    return pl.DataFrame(rows, schema=GRADER_SCHEMAS["graders"], orient="row")


def reliability_frame(arm: str, generation: int, graders: Sequence[GraderMeasures]) -> pl.DataFrame:
    """A row for each bin of each kind of grader."""
    rows = [
        {
            **_key(arm, generation, one),
            "bin_low": found.place / BINS,
            "bin_high": (found.place + 1) / BINS,
            "grades": found.grades,
            "grade_mean": found.grade_mean,
            "right": found.right.value,
            "right_low": found.right.low,
            "right_high": found.right.high,
        }
        for one in graders
        for found in one.reliability
    ]
    return pl.DataFrame(rows, schema=GRADER_SCHEMAS["reliability"], orient="row")


GRADER_FRAMES = {"graders": grader_frame, "reliability": reliability_frame}
"""What each of the two has of one commit."""


def _key(arm: str, generation: int, one: GraderMeasures) -> dict[str, Any]:
    return {"arm": arm, "generation": generation, "model": one.model, "role": one.role}
