"""What a right answer took: tokens, floating-point operations and energy, and who says so."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig

PER_RIGHT = ("tokens_per_right", "flops_per_right", "joules_per_right")
"""Columns of what a right answer took; NaN where there is none, or it is not known."""

TOKENS = ("tokens_computed", "tokens_learned", "prompt_tokens", "completion_tokens")
"""Counters of tokens that went through a model, here or behind a server."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What some answers took.

    Attributes
    ----------
    right
        How many of them are right.
    tokens
        That went through a model: those of prompts, answers, grades and lessons.
    flops
        2 × parameters × tokens of forward passes and 6 × of those that are learned from, attention
        left out; NaN where nobody counted.
    joules
        Of hosts or cards while they worked; NaN where nobody knows.
    """

    right: int
    tokens: int
    flops: float
    joules: float

    @classmethod
    def of(cls, right: int, counters: Mapping[str, int | float | None]) -> Cost:
        """By a generation's counters, or their sums."""
        flops, energy = counters.get("flops"), counters.get("energy_millijoules")
        return cls(
            right,
            sum(int(counters.get(name) or 0) for name in TOKENS),
            math.nan if not flops else float(flops),
            math.nan if not energy else energy / 1000.0,
        )

    @property
    def per_right(self) -> dict[str, float]:
        """Name in `PER_RIGHT` → what one right answer took."""
        spent = (float(self.tokens), self.flops, self.joules)
        each = (one / self.right if self.right else math.nan for one in spent)
        return dict(zip(PER_RIGHT, each, strict=True))


def right_answers(answers: int, gold_error: float) -> int:
    """How many are right, by what share is wrong; 0 where that is unknown."""
    return 0 if math.isnan(gold_error) else round(answers * (1.0 - gold_error))


def cost_of(generations: pl.DataFrame, arm: str = SELECTED) -> Cost:
    """All generations of an arm together, from the table of generations."""
    rows = generations.filter(pl.col("arm") == arm)
    pairs = rows.select("answers", "gold_error").iter_rows()
    right = sum(right_answers(answers, error) for answers, error in pairs)
    counters = (*TOKENS, "flops", "energy_millijoules")
    sums = rows.select(pl.col(*counters).sum()).row(0, named=True)
    return Cost.of(right, sums)


def cost_sentences(generations: pl.DataFrame, config: RunConfig) -> tuple[str, ...]:
    """A sentence on what a right answer took; none where no model was asked."""
    cost = cost_of(generations)
    if not cost.tokens:
        return ()
    if not cost.right:
        return (f"No answer was right, for {_short(cost.tokens)} tokens.",)
    each = cost.per_right
    parts = [f"{_short(each['tokens_per_right'])} tokens"]
    if not math.isnan(cost.flops):
        parts.append(f"{_short(each['flops_per_right'])} FLOPs")
    if math.isnan(cost.joules):
        energy = "energy is not known (hosts.watts would tell)"
    else:
        parts.append(f"{_short(each['joules_per_right'])} J")
        energy = f"energy {energy_source(config)}"
    return (f"A right answer took {', '.join(parts)}, grades and lessons included; {energy}.",)


def energy_source(config: RunConfig) -> str:
    """Who says how much energy was used."""
    watts = config.hosts.watts
    if watts is None:
        return "by the cards' own counters, while hosts worked"
    return f"by hosts.watts = {watts:g}, for the seconds that hosts worked"


def _short(value: float) -> str:
    """Three digits, in words that are read: 12,300 or 1.2e+09."""
    if value >= 1e6:
        return f"{value:.2g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
