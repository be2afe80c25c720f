"""What the command line shows of experiments: all of them in a table, one as lines."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from mgptn.experiments.claims.all_claims import Ended
from mgptn.experiments.claims.method.claim import Scale, claim_names, load_claim
from mgptn.experiments.claims.method.costs import Cost
from mgptn.experiments.claims.method.finding import DECIDES, Finding, holm
from mgptn.experiments.claims.running import FINDING, Recorded, read_recorded
from mgptn.experiments.claims.table import ANALYSES


def claims_table(scale: Scale, runs: Path) -> Table:
    """A row a claim: its runs and tables at a scale, and its verdict where it has been run."""
    names = claim_names()
    found = {
        name: read_recorded(runs / f"{name}-{scale}" / FINDING)
        for name in names
        if (runs / f"{name}-{scale}" / FINDING).exists()
    }
    corrected = holm({name: one.finding.p for name, one in found.items()})
    table = Table(box=SIMPLE_HEAD, caption="p by Holm over those that were run at this scale")
    for column in ("name", "claim", "runs", "tables", "verdict", "p", "took"):
        table.add_column(column, no_wrap=column == "name")
    for name in names:
        claim = load_claim(name)
        seeds = claim.registered.scales[scale].seeds
        tables = len(ANALYSES[name].measures) * seeds
        row = [name, claim.registered.title, str(len(claim.cells(scale))), str(tables or "")]
        if name in found:
            one = found[name]
            row += [one.finding.verdict, told_p(corrected[name]), told_cost(one.cost)]
        table.add_row(*row)
    return table


def finding_lines(recorded: Recorded) -> list[str]:
    """A finding in full: numbers, cost, hash, and the verdict last."""
    finding, lines = recorded.finding, [""]
    size = told_size(recorded.cells, recorded.measured)
    for group, numbers in finding.numbers.items():
        lines.append(group)
        lines += [f"  {number.name}: {number.told()}" for number in numbers]
    lines += [
        "",
        f"{recorded.name} {finding.verdict} (scale {recorded.scale}, {size}, "
        f"p = {told_p(finding.p)})",
        *(f"  {sentence}" for sentence in finding.why),
        f"Intervals are 95 %: {finding.intervals}.",
        f"cost: {told_cost(recorded.cost)}",
        f"hash of {told_hashed(recorded)}: {recorded.joint_hash}",
    ]
    return lines


def ended_lines(ended: Sequence[Ended]) -> list[str]:
    """All claims at the end: verdicts, p by Holm, where they are, and what went wrong."""
    found = {one.claim.name: one.recorded for one in ended if one.recorded is not None}
    corrected = holm({name: one.finding.p for name, one in found.items()})
    lines = [""]
    for one in ended:
        name = one.claim.name
        if one.recorded is None:
            lines.append(f"{name}: not run to its end: {one.fault}")
            continue
        p = told_p(corrected[name])
        lines.append(f"{name}: {one.recorded.finding.verdict}, p {p} by Holm, {one.folder}")
    return lines


def told_verdict(finding: Finding) -> str:
    """A verdict; of a finding from before conditions were registered in numbers, that it is."""
    early = DECIDES not in finding.numbers
    return f"{finding.verdict} as registered before" if early else finding.verdict


def told_size(cells: int, measured: int) -> str:
    """``28 runs``, ``3 measured tables``, or both."""
    tables = f"{measured} measured table{'s' if measured > 1 else ''}"
    runs = [f"{cells} run{'s' if cells > 1 else ''}"] if cells else []
    return ", ".join([*runs, tables] if measured else runs)


def told_hashed(recorded: Recorded) -> str:
    """What the joint hash is over."""
    parts = ["the population hashes of all runs"] if recorded.cells else []
    return " and ".join([*parts, "all measured tables"] if recorded.measured else parts)


def told_p(p: float) -> str:
    """A p-value to two digits; a dash where there is no test."""
    return "–" if math.isnan(p) else f"{p:.2g}"


def told_cost(cost: Cost) -> str:
    """``120 s, 1.2 million tokens, 2.5e+12 FLOPs``."""
    return f"{cost.seconds:,.0f} s, {cost.tokens / 1e6:,.2f} million tokens, {cost.flops:.2g} FLOPs"
