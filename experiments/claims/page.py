"""The pages of the experiments, made of their registrations and findings: no number is typed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from operator import methodcaller
from pathlib import Path

from mgptn.agents.files import write_whole
from mgptn.experiments.claims.method.claim import Claim, claim_names, load_claim
from mgptn.experiments.claims.method.costs import Cost, asked
from mgptn.experiments.claims.method.earlier import changes_since
from mgptn.experiments.claims.method.finding import DECIDES, Finding, holm
from mgptn.experiments.claims.method.numbers import Number, short
from mgptn.experiments.claims.readme import CLAIM, put_front
from mgptn.experiments.claims.running import FIGURE, FINDING, Recorded, read_recorded
from mgptn.experiments.claims.telling import told_cost, told_hashed, told_p, told_size

RESULTS, FIGURES = Path("results"), Path("figures") / "results"


def write_pages(claim: Claim, folder: Path, docs: Path) -> list[Path]:
    """Copy a finding and its figure into the documentation; write its page and the index.

    The phase diagram's is the README's first picture too.

    Raises
    ------
    ConfigError
        If there is no finding in the folder.
    """
    recorded = read_recorded(folder / FINDING)
    for sub in (RESULTS, FIGURES):
        (docs / sub).mkdir(parents=True, exist_ok=True)
    kept = docs / RESULTS / f"{claim.name}.json"
    figure = docs / FIGURES / f"{claim.name}.png"
    shutil.copyfile(folder / FINDING, kept)
    shutil.copyfile(folder / FIGURE, figure)
    pages = {docs / RESULTS / f"{claim.name}.md": page(claim, recorded)}
    pages[docs / RESULTS / "README.md"] = index(docs)
    for path, text in pages.items():
        write_whole(path, methodcaller("write", text.encode()))
    if claim.name == CLAIM:
        put_front(docs.parent / "README.md", recorded)
    return [*pages, kept, figure]


def page(claim: Claim, recorded: Recorded) -> str:
    """A claim's page, from its registration and its finding."""
    registered, finding = claim.registered, recorded.finding
    changed = ", ".join(f"{key}={value}" for key, value in recorded.changes.items())
    seeds = f"{recorded.seeds} seed{'s' if recorded.seeds > 1 else ''}"
    parts = [
        f"# {registered.title}: {told_verdict(finding)}",
        f"> {registered.quote}",
        *(f"**{title}.** {text}" for title, text in _registered(claim)),
        f"![{registered.title}](../{FIGURES.as_posix()}/{claim.name}.png)",
        f"## Verdict: {told_verdict(finding)}",
        *_not_run_since(finding),
        _because(finding),
        "\n".join(f"- {sentence}" for sentence in finding.why),
        f"p of the primary test, uncorrected: {told_p(finding.p)}.",
        "## What it does not say",
        "\n".join(f"- {caveat}" for caveat in finding.caveats),
        "## Numbers",
        f"With 95 % intervals: {finding.intervals}.",
        *_numbers(finding),
        *_changed_since(claim),
        "## Where it comes from",
        f"    {recorded.command}",
        f"Scale {recorded.scale}: {told_size(recorded.cells, recorded.measured)}, {seeds}"
        + (f", with {changed}." if changed else ".")
        + f" Cost: {told_cost(recorded.cost)} (2 × parameters × tokens through a model; seconds of "
        "all arms, on a machine that had other work).",
        f"Hash over {told_hashed(recorded)}: `{recorded.joint_hash}`.",
        f"Versions: {', '.join(f'{k} {v}' for k, v in recorded.versions.items())}. This page is "
        f"made by `mgptn experiment report {claim.name}` from "
        f"[{claim.name}.json]({claim.name}.json).",
    ]
    return "\n\n".join(parts) + "\n"


def index(docs: Path) -> str:
    """The index: a row for each claim whose finding is in the documentation."""
    found = {
        name: read_recorded(docs / RESULTS / f"{name}.json")
        for name in claim_names()
        if (docs / RESULTS / f"{name}.json").exists()
    }
    corrected = holm({name: one.finding.p for name, one in found.items()})
    larger = {name: _times(load_claim(name), one) for name, one in found.items()}
    rows = [
        f"| [{load_claim(name).registered.title}]({name}.md) | {told_verdict(one.finding)} | "
        f"{told_p(one.finding.p)} | {told_p(corrected[name])} | {_kind(one)} | {one.scale} | "
        f"{told_cost(one.cost)} | {'–' if larger[name] is None else f'{larger[name]:,.0f}'} |"
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
        "and any other leaves the claim undecided. Intervals of claims that were not run again "
        "since are by bootstrap, which is too narrow of few seeds (.83 for .95 of four), as is "
        "their p.",
        "\n".join(
            [
                "| Claim | Verdict | p | p, Holm | Intervals | Scale | Cost | Cluster, times |",
                "| --- | --- | --- | --- | --- | --- | --- | --- |",
                *rows,
            ]
        ),
        f"Together: {told_cost(whole)}. The last column is how many answers and grades the cluster "
        "scale asks of models, over those that were asked above; at so many times their FLOPs that "
        f"scale would take {cluster:.2g} in all. A dash: nothing is run, only measured.",
    ]
    waiting = [load_claim(name).registered.title for name in claim_names() if name not in found]
    if waiting:
        parts.append(f"Registered, and not run yet: {', '.join(waiting)}.")
    return "\n\n".join(parts) + "\n"


def told_verdict(finding: Finding) -> str:
    """A verdict; of a finding from before conditions were registered in numbers, that it is."""
    early = DECIDES not in finding.numbers
    return f"{finding.verdict} as registered before" if early else finding.verdict


def _not_run_since(finding: Finding) -> list[str]:
    if DECIDES in finding.numbers:
        return []
    return [
        "This was found, and decided, under the registration before, which is shown below as what "
        "was taken out; the claim has not been run again under the one above."
    ]


def _kind(recorded: Recorded) -> str:
    """How a finding's intervals were made, in two words."""
    early = DECIDES not in recorded.finding.numbers
    return "by bootstrap" if early else f"{recorded.seeds} seeds"


def _interval(number: Number) -> str:
    """An interval as a cell of a table."""
    if math.isnan(number.low) or math.isnan(number.high):
        return "" if math.isnan(number.value) else number.why_no_interval
    agreed = f", no spread between {number.unit}" if number.error == 0.0 else ""
    return f"{short(number.low)} to {short(number.high)}{agreed}"


def _times(claim: Claim, recorded: Recorded) -> float | None:
    """Answers and grades of the cluster scale over those of what was run; None without runs."""
    ran = asked(claim.cells(recorded.scale, recorded.changes))
    return asked(claim.cells("cluster")) / ran if ran else None


def _registered(claim: Claim) -> list[tuple[str, str]]:
    one = claim.registered
    return [
        ("Hypothesis", one.hypothesis),
        ("Method", one.method),
        ("Metric", one.metric),
        ("Fails if", one.fails_if),
        ("Stopping", one.stopping),
    ]


def _because(finding: Finding) -> str:
    return {
        "holds": "Everything that was asked of it is shown:",
        "fails": "Refuted by:",
        "undecided": "Nothing refutes it, and this is neither shown nor refuted:",
    }[finding.verdict]


def _numbers(finding: Finding) -> list[str]:
    """What the verdict rests on; all the rest is folded."""
    first = [
        part for group in finding.numbers if group == DECIDES for part in _table(finding, group)
    ]
    rest = [
        part for group in finding.numbers if group != DECIDES for part in _table(finding, group)
    ]
    title = "Further numbers, which decide nothing" if first else "All numbers"
    return [*first, *_folded(title, rest)]


def _changed_since(claim: Claim) -> list[str]:
    """How the registration differs from the one under which there was a result before."""
    lines = changes_since(claim.name)
    if not lines:
        return []
    told = ["```diff", *lines, "```"]
    return [
        "## Registered anew",
        "The registration was changed after there had been a result. Conditions are decided by "
        "intervals on either side, which an estimate alone did, and intervals are by the spread "
        f"between seeds, which is wider. {claim.registered.changed}".strip(),
        *_folded("What was changed in it", ["\n".join(told)]),
    ]


def _folded(title: str, parts: Sequence[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", *parts, "</details>"] if parts else []


def _table(finding: Finding, group: str) -> list[str]:
    rows = [f"| {n.name} | {short(n.value)} | {_interval(n)} |" for n in finding.numbers[group]]
    return [f"### {group}", "\n".join(["| | Value | Interval |", "| --- | --- | --- |", *rows])]
