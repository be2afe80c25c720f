"""The same work done in several ways in turn, and the table of them: ratios first."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from mgptn.experiments.bench.engine.ceiling import Ceiling, synchronised

Ways = dict[str, Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same work done in several ways, ours first.

    Attributes
    ----------
    items
        Of `unit` in the work.
    seconds
        Contestant → seconds of each repeat.
    operations
        Floating-point operations of matrix products with weights that the work needs; 0 where
        that is not in question.
    weight_bytes
        Bytes of weights, and of keys and values, that our way reads at the least; 0 where
        that is not the bound.
    prefill
        Tokens of prefixes that were computed, over those of the tree of distinct prefixes.
    padded
        Contestant → share of positions that are computed for nothing; empty where that is not in
        question.
    """

    name: str
    items: int
    unit: str
    seconds: dict[str, list[float]]
    operations: float = 0.0
    weight_bytes: float = 0.0
    prefill: float | None = None
    padded: dict[str, float] = field(default_factory=dict)

    def ratios(self, other: str) -> list[float]:
        """Theirs over ours, repeat by repeat: above 1, ours is faster."""
        ours = self.seconds["ours"]
        return [b / a for a, b in zip(ours, self.seconds[other], strict=True)]

    @property
    def others(self) -> list[str]:
        """Contestants but ours."""
        return [name for name in self.seconds if name != "ours"]

    @property
    def rate(self) -> float:
        """Our items a second."""
        return self.items / statistics.median(self.seconds["ours"])


def interleaved(
    ways: Ways, repeats: int, device: str, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each way, turn by turn, after a turn that does not count.

    A machine that slows down slows all contestants alike.

    Parameters
    ----------
    clock
        Seconds that have passed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, run in ways.items():
            synchronised(device)
            began = clock()
            run()
            synchronised(device)
            if turn:
                seconds[name].append(clock() - began)
    return seconds


def table(comparisons: Sequence[Comparison], ceiling: Ceiling, title: str) -> Table:
    """A line for each contestant: our speed as a multiple of its, with the spread over repeats, and
    our rate as a share of the machine's; a column that would be empty is left out."""
    rows: list[dict[str, str]] = []
    for c in comparisons:
        ours = statistics.median(c.seconds["ours"])
        share = {name: f"{padded:.1%}" for name, padded in c.padded.items()}
        reads = f"{c.weight_bytes / ours / ceiling.bandwidth:.0%}" if c.weight_bytes else ""
        for other in c.others:
            ratios = c.ratios(other)
            rows.append(
                {
                    "work": c.name,
                    "against": other,
                    "ratio": f"{statistics.median(ratios):.2f} "
                    f"({min(ratios):.2f} to {max(ratios):.2f})",
                    "ours/s": f"{c.rate:,.0f} {c.unit}",
                    "matmul": f"{c.operations / ours / ceiling.matmul:.0%}" if c.operations else "",
                    "memory": reads,
                    "padded": f"{share['ours']}, {share[other]}" if share else "",
                    "prefill": "" if c.prefill is None else f"{c.prefill:.3f}",
                }
            )
    heads = [head for head in (rows[0] if rows else {}) if any(row[head] for row in rows)]
    made = Table(title=title, title_justify="left", show_lines=True)
    for head in heads:
        made.add_column(head, overflow="fold", min_width=len(head))
    for row in rows:
        made.add_row(*(row[head] for head in heads))
    return made
