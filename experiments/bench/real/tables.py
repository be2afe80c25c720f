"""What a contest says: how fast, how alike, and where the time goes, as tables."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from rich.table import Table

from mgptn.experiments.bench.real.contest import Measured

FIGURES = ("answer", "grade", "both", "starts", "cold")
"""What times are compared of: two phases, their sum, starts, and a first generation from cold."""

HEADS = ("answers", "grades", "both", "start", "cold to first generation")


def ratios(ours: Measured, other: Measured) -> dict[str, list[float]]:
    """Their time over ours of each figure, repeat by repeat: above 1, ours is faster."""
    return {
        name: [b / a for a, b in zip(getattr(ours, name), getattr(other, name), strict=True)]
        for name in FIGURES
    }


def equal_share(ours: Measured, other: Measured) -> float:
    """Of answers, how many are the same, token for token."""
    pairs = list(zip(ours.answers, other.answers, strict=True))
    return sum(a == b for a, b in pairs) / len(pairs)


def greatest_difference(ours: Measured, other: Measured) -> float:
    """Of options' probabilities, the greatest difference; NaN where the other says none."""
    gaps = [
        abs(math.exp(a) - math.exp(b))
        for mine, theirs in zip(ours.masses, other.masses, strict=True)
        for a, b in zip(mine, theirs, strict=True)
        if not math.isnan(b)
    ]
    return max(gaps, default=math.nan)


def ratio_table(found: Mapping[str, Measured], title: str) -> Table:
    """How many times as fast ours is as each other way: a line for each figure."""
    ours, others = _parted(found)
    made = Table("against", "work", "ratio (median)", "spread", title=title, title_justify="left")
    for name, other in others.items():
        for head, values in zip(HEADS, ratios(ours, other).values(), strict=True):
            spread = f"{min(values):.2f} to {max(values):.2f}"
            made.add_row(name, head, f"{median(values):.2f}", spread)
    return made


def rate_table(found: Mapping[str, Measured]) -> Table:
    """What each way does a second, what it takes to start, its memory, and how alike it says; a way
    a column."""
    made = Table("figure", *found)
    ours, others = _parted(found)
    ways = found.values()

    def compared(said: Callable[[Measured], str]) -> list[str]:
        return ["", *(said(other) for other in others.values())]

    def gap(other: Measured) -> str:
        greatest = greatest_difference(ours, other)
        return "not said" if math.isnan(greatest) else f"{greatest:.1g}"

    for figure, cells in (
        ("answers/s", [f"{len(one.answers) / median(one.answer):.2f}" for one in ways]),
        ("tokens/s", [f"{_written(one) / median(one.answer):.1f}" for one in ways]),
        ("grades/s", [f"{len(one.masses) / median(one.grade):.2f}" for one in ways]),
        ("start, s", [f"{median(one.starts):.1f}" for one in ways]),
        ("first generation, s", [f"{one.first:.1f}" for one in ways]),
        ("peak memory, GiB", [f"{one.peak / 2**30:.2f}" for one in ways]),
        ("same answers", compared(lambda other: f"{equal_share(ours, other):.1%}")),
        ("grades off by", compared(gap)),
    ):
        made.add_row(figure, *cells)
    return made


def _written(one: Measured) -> int:
    """Tokens of answers, with their ends."""
    return sum(1 + len(answer) for answer in one.answers)


def where_table(parts: Mapping[str, Mapping[str, float]]) -> Table:
    """Where the time of each phase of ours goes."""
    made = Table("ours: phase", "part", "seconds", "share")
    for phase, spent in parts.items():
        whole = sum(spent.values())
        for part, seconds in spent.items():
            made.add_row(phase, part, f"{seconds:.2f}", f"{seconds / whole:.1%}")
    return made


def as_plain(found: Mapping[str, Measured]) -> dict[str, Any]:
    """Every figure, as JSON has it."""
    ours, others = _parted(found)
    ways = {
        name: {
            **{figure: getattr(one, figure) for figure in FIGURES},
            "first": one.first,
            "peak_bytes": one.peak,
        }
        for name, one in found.items()
    }
    compared = {
        name: {
            "ratios": ratios(ours, other),
            "equal_answers": equal_share(ours, other),
            "greatest_difference": _number(greatest_difference(ours, other)),
        }
        for name, other in others.items()
    }
    return {"ways": ways, "against": compared}


def _parted(found: Mapping[str, Measured]) -> tuple[Measured, dict[str, Measured]]:
    (_, ours), *others = found.items()
    return ours, dict(others)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
