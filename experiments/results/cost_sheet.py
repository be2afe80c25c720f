"""What a run took: seconds, requests and tokens, an arm a column."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl

from mgptn.experiments.costs.per_right import PER_RIGHT, cost_of
from mgptn.experiments.record.committed import (
    COST_COUNTERS,
    COUNTERS,
    ENDPOINT_COUNTERS,
    PHASES,
)
from mgptn.experiments.results.sheet import Sheet, sheet
from mgptn.experiments.results.shown import UNDEFINED

_PHASE_NAMES = {
    "forward": "model passes, all hosts",
    "sampling": "sampling, all hosts",
    "transfer": "tokens to tensors and back, all hosts",
    "planner": "planning tiles",
    "answer": "answering",
    "grade": "grading",
    "learn": "learning",
    "verify": "verifying answers, running programs",
    "select": "selecting",
    "total": "total",
}


def cost_sheet(generations: pl.DataFrame, arms: Sequence[str]) -> Sheet:
    """Sums over generations, an arm a column, and over arms where there are several."""
    measured = [f"seconds_{phase}" for phase in PHASES]
    endpoints = generations["endpoint_requests"].is_not_null().any()
    counters = (*COUNTERS, *ENDPOINT_COUNTERS) if endpoints else COUNTERS
    counters += tuple(name for name in COST_COUNTERS if generations[name].is_not_null().any())
    sums = generations.group_by("arm").agg(pl.col("tokens", *measured, *counters).sum())
    rows = [sums.row(by_predicate=pl.col("arm") == arm, named=True) for arm in arms]
    several = len(arms) > 1
    labels: list[tuple[str, str, Callable[[Any], Any]]] = [
        *((f"seconds_{phase}", f"seconds: {_PHASE_NAMES[phase]}", _seconds) for phase in PHASES),
        ("tokens", "tokens of answers", _itself),
        *((counter, counter.replace("_", " "), _itself) for counter in counters),
    ]
    return sheet(
        [*arms, "all arms"] if several else list(arms),
        [
            *(
                (label, [form(v) for v in _with_sum([r[column] for r in rows], several)])
                for column, label, form in labels
            ),
            *_per_right(generations, arms, several),
        ],
    )


def _per_right(
    generations: pl.DataFrame, arms: Sequence[str], several: bool
) -> Iterator[tuple[str, list[Any]]]:
    """What a right answer took in each arm, where that is known of any; of all arms nothing."""
    each = [cost_of(generations, arm).per_right for arm in arms]
    for name in PER_RIGHT:
        if any(math.isfinite(one[name]) for one in each):
            label = name.replace("_", " ") + " answer"
            yield label, [*(one[name] for one in each), *([""] if several else [])]


def _with_sum(values: list[Any], several: bool) -> list[Any]:
    return [*values, sum(values)] if several else values


def _itself(value: Any) -> Any:
    return value


def _seconds(value: float) -> str | int:
    if not math.isfinite(value):
        return UNDEFINED
    return f"{value:.1f}" if value else 0
