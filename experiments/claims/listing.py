"""What the command line shows of experiments: all of them in a table, one as lines."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from experiments.claims.claim import Scale, claim_names, load_claim
from experiments.claims.costs import Cost
from experiments.claims.finding import holm
from experiments.claims.running import FINDING, Recorded, read_recorded


def claims_table(scale: Scale, runs: Path) -> Table:
    """A row a claim: its runs at a scale, and its verdict where it has been run."""
    names = claim_names()
    found = {
        name: read_recorded(runs / f"{name}-{scale}" / FINDING)
        for name in names
        if (runs / f"{name}-{scale}" / FINDING).exists()
    }
    corrected = holm({name: one.finding.p for name, one in found.items()})
    table = Table(box=SIMPLE_HEAD, caption="p by Holm over those that were run at this scale")
    for column in ("name", "claim", "runs", "verdict", "p", "took"):
        table.add_column(column, no_wrap=column == "name")
    for name in names:
        claim = load_claim(name)
        row = [name, claim.registered.title, str(len(claim.cells(scale)))]
        if name in found:
            one = found[name]
            row += [one.finding.verdict, told_p(corrected[name]), told_cost(one.cost)]
        table.add_row(*row)
    return table


def finding_lines(recorded: Recorded) -> list[str]:
    """A finding in full: numbers, cost, hash, and the verdict last."""
    finding, lines = recorded.finding, [""]
    for group, numbers in finding.numbers.items():
        lines.append(group)
        lines += [f"  {number.name}: {number.told()}" for number in numbers]
    lines += [
        "",
        f"{recorded.name} {finding.verdict} (scale {recorded.scale}, {recorded.cells} runs, "
        f"p = {told_p(finding.p)})",
        *(f"  {sentence}" for sentence in finding.why),
        "Intervals are 95 %, by bootstrap over seeds and the problems of each.",
        f"cost: {told_cost(recorded.cost)}",
        f"hash of all population hashes: {recorded.joint_hash}",
    ]
    return lines


def told_p(p: float) -> str:
    """A p-value to two digits; a dash where there is no test."""
    return "–" if math.isnan(p) else f"{p:.2g}"


def told_cost(cost: Cost) -> str:
    """``120 s, 1.2 million tokens, 2.5e+12 FLOPs``."""
    return f"{cost.seconds:,.0f} s, {cost.tokens / 1e6:,.2f} million tokens, {cost.flops:.2g} FLOPs"
