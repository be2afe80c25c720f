"""The index of all claims that were run: verdicts, p corrected across them, costs, what changed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from mgptn.experiments.claims.method.claim import Claim, claim_names, load_claim
from mgptn.experiments.claims.method.costs import Cost, asked
from mgptn.experiments.claims.method.earlier import verdict_before
from mgptn.experiments.claims.method.finding import DECIDES, holm
from mgptn.experiments.claims.running import Recorded, read_recorded
from mgptn.experiments.claims.telling import told_cost, told_p, told_verdict

RESULTS = Path("results")
COLUMNS = (
    *("Claim", "Verdict", "Before", "p", "p, Holm", "Intervals", "Scale", "Cost"),
    "Cluster, times",
)


def index(docs: Path) -> str:
    """A row for each claim whose finding is in the documentation."""
    found = {
        name: read_recorded(docs / RESULTS / f"{name}.json")
        for name in claim_names()
        if (docs / RESULTS / f"{name}.json").exists()
    }
    corrected = holm({name: one.finding.p for name, one in found.items()})
    larger = {name: _times(load_claim(name), one) for name, one in found.items()}
    rows = [
        f"| [{load_claim(name).registered.title}]({name}.md) | {told_verdict(one.finding)} | "
        f"{verdict_before(name) or '–'} | {told_p(one.finding.p)} | {told_p(corrected[name])} | "
        f"{_kind(one)} | {one.scale} | {told_cost(one.cost)} | "
        f"{'–' if larger[name] is None else f'{larger[name]:,.0f}'} |"
        for name, one in found.items()
    ]
    costs = [one.cost for one in found.values()]
    whole = Cost(
        sum(cost.seconds for cost in costs),
        sum(cost.tokens for cost in costs),
        sum(cost.flops for cost in costs),
    )
    cluster = sum((larger[name] or 1.0) * one.cost.flops for name, one in found.items())
    parts = [
        "# Results",
        "Each claim was registered before it was run: hypothesis, metric, and what would refute "
        "it, in `experiments/claims/registered/`. A claim that fails is as good a result as one "
        "that holds. p-values are of each claim's primary test, and corrected by Holm over those "
        "in this table. An interval within a condition's bounds shows it, one outside refutes it, "
        "and any other leaves the claim undecided.",
        *_early(list(found.values())),
        "\n".join(
            [f"| {' | '.join(COLUMNS)} |", f"| {' | '.join('---' for _ in COLUMNS)} |", *rows]
        ),
        "*Before* is the verdict under the registration that a claim had first, by bootstrap "
        "intervals and estimates; each page says what was changed since, and why. "
        f"Together: {told_cost(whole)}. The last column is how many answers and grades the cluster "
        "scale asks of models, over those that were asked above; at so many times their FLOPs that "
        f"scale would take {cluster:.2g} in all. A dash: nothing is run, only measured.",
        "All of it again: `mgptn experiment run all`, which goes on where it was stopped, and "
        "`mgptn experiment report all`.",
    ]
    waiting = [load_claim(name).registered.title for name in claim_names() if name not in found]
    if waiting:
        parts.append(f"Registered, and not run yet: {', '.join(waiting)}.")
    return "\n\n".join(parts) + "\n"


def _early(found: list[Recorded]) -> list[str]:
    """What is to be known of findings from before there were conditions in numbers, if any."""
    if all(DECIDES in one.finding.numbers for one in found):
        return []
    return [
        "Intervals of claims that were not run again since are by bootstrap, which is too narrow "
        "of few seeds (.83 for .95 of four), as is their p."
    ]


def _kind(recorded: Recorded) -> str:
    """How a finding's intervals were made, in two words."""
    early = DECIDES not in recorded.finding.numbers
    return "by bootstrap" if early else f"{recorded.seeds} seeds"


def _times(claim: Claim, recorded: Recorded) -> float | None:
    """Answers and grades of the cluster scale over those of what was run; None without runs."""
    ran = asked(claim.cells(recorded.scale, recorded.changes))
    return asked(claim.cells("cluster")) / ran if ran else None
