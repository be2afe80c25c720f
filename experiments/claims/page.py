"""The pages of the experiments, made of their registrations and findings: no number is typed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from operator import methodcaller
from pathlib import Path

from mgptn.agents.files import write_whole
from mgptn.experiments.claims.captions import CAPTIONS
from mgptn.experiments.claims.index import RESULTS, index
from mgptn.experiments.claims.method.claim import Claim
from mgptn.experiments.claims.method.deciding import Row, rows_of
from mgptn.experiments.claims.method.earlier import changes_since, verdict_before
from mgptn.experiments.claims.method.finding import DECIDES, Finding
from mgptn.experiments.claims.method.numbers import Number, ends, short
from mgptn.experiments.claims.readme import CLAIM, put_front
from mgptn.experiments.claims.running import FIGURE, FINDING, Recorded, read_recorded
from mgptn.experiments.claims.telling import (
    told_cost,
    told_hashed,
    told_p,
    told_size,
    told_verdict,
)

FIGURES = Path("figures") / "results"
MOST_ROWS = 12
"""Of the table that the verdict rests on; all its numbers are in the appendix."""


def write_pages(claims: Mapping[Path, Claim], docs: Path) -> list[Path]:
    """Write the pages of claims, by the folders that they were run in, and the index of all.

    Raises
    ------
    ConfigError
        If one has no finding.
    """
    written = [path for folder, claim in claims.items() for path in _write(claim, folder, docs)]
    listed = docs / RESULTS / "README.md"
    write_whole(listed, methodcaller("write", index(docs).encode()))
    return [*written, listed]


def was_run(name: str, folder: Path, docs: Path) -> bool:
    """Is there a finding of a claim, in its folder or in the documentation?"""
    kept = docs / RESULTS / f"{name}.json"
    return (folder / FINDING).exists() or kept.exists()


def _write(claim: Claim, folder: Path, docs: Path) -> list[Path]:
    """Copy a finding and its figure into the documentation, and write its page.

    Of a claim that was not run in the folder the page is written anew from what the documentation
    has of it. The phase diagram's is the README's first picture too.
    """
    for sub in (RESULTS, FIGURES):
        (docs / sub).mkdir(parents=True, exist_ok=True)
    kept = docs / RESULTS / f"{claim.name}.json"
    figure = docs / FIGURES / f"{claim.name}.png"
    if (folder / FINDING).exists() or not kept.exists():
        recorded = read_recorded(folder / FINDING)
        shutil.copyfile(folder / FINDING, kept)
        shutil.copyfile(folder / FIGURE, figure)
    else:
        recorded = read_recorded(kept)
    path = docs / RESULTS / f"{claim.name}.md"
    write_whole(path, methodcaller("write", page(claim, recorded).encode()))
    front = put_front(docs.parent / "README.md", recorded) if claim.name == CLAIM else []
    return [path, kept, figure, *front]


def page(claim: Claim, recorded: Recorded) -> str:
    """A claim's page: sentence, figure, what the verdict rests on; the rest in an appendix."""
    registered, finding = claim.registered, recorded.finding
    caption = CAPTIONS.get(claim.name, registered.metric)
    parts = [
        f"# {registered.title}: {told_verdict(finding)}",
        f"> {registered.quote}",
        f"{registered.hypothesis} **{_found(finding)}**",
        f"![{registered.title}](../{FIGURES.as_posix()}/{claim.name}.png)",
        f"*{caption}*",
        "## What the verdict rests on",
        *_not_run_since(finding),
        *_changed_since(claim, recorded),
        *_decisive(claim, finding),
        "## What it says",
        _because(finding),
        "\n".join(f"- {sentence}" for sentence in _few(finding.why)),
        f"p of the primary test, uncorrected: {told_p(finding.p)}.",
        "## What it does not say",
        "\n".join(f"- {caveat}" for caveat in finding.caveats),
        *_changed(claim, finding),
        "## Again",
        f"    {recorded.command}",
        f"Scale {recorded.scale}: {told_size(recorded.cells, recorded.measured)}, "
        f"{_seeds(recorded)}. Cost: {told_cost(recorded.cost)} (2 × parameters × tokens through a "
        "model; seconds of all arms, on a machine that had other work).",
        *_appendix(claim, recorded),
    ]
    return "\n\n".join(parts) + "\n"


def _seeds(recorded: Recorded) -> str:
    changed = ", ".join(f"{key}={value}" for key, value in recorded.changes.items())
    seeds = f"{recorded.seeds} seed{'s' if recorded.seeds > 1 else ''}"
    return f"{seeds}, with {changed}" if changed else seeds


def _found(finding: Finding) -> str:
    return {
        "holds": "Shown: all that was asked of it.",
        "fails": "Refuted.",
        "undecided": "Neither shown nor refuted.",
    }[finding.verdict]


def _few(why: Sequence[str]) -> list[str]:
    """The first sentences, and how many more there are."""
    left = len(why) - MOST_ROWS
    more = [f"and {left} more of the kind, in the appendix."] if left > 0 else []
    return [*why[:MOST_ROWS], *more]


def _decisive(claim: Claim, finding: Finding) -> list[str]:
    """A row for each registered condition: the number that is furthest from showing it."""
    numbers = finding.numbers.get(DECIDES)
    if numbers is None:
        return []
    rows = rows_of(claim.registered.decides, numbers)
    head = ["| Asked | Expected | Least of it | 95 % interval | State |", "|" + " --- |" * 5]
    told = [_row(row) for row in rows[:MOST_ROWS]]
    return [
        "\n".join([*head, *told]),
        "Of a condition about several numbers the row has the one that is furthest from showing "
        f"it; all are in the appendix. Intervals: {finding.intervals}.",
    ]


def _row(row: Row) -> str:
    condition = row.least
    of = "" if row.of == 1 else f" ({row.shown} of {row.of} shown)"
    number = condition.number
    return (
        f"| {number.name}{of} | {condition.expected} | {short(number.value)} | "
        f"{_interval(number)} | {condition.state} |"
    )


def _appendix(claim: Claim, recorded: Recorded) -> list[str]:
    finding = recorded.finding
    numbers = [part for group in finding.numbers for part in _table(finding, group)]
    lines = changes_since(claim.name)
    diff = ["\n".join(["```diff", *lines, "```"])] if lines else []
    return [
        "## Appendix",
        *_folded(
            "As it was registered", [f"**{title}.** {text}" for title, text in _registered(claim)]
        ),
        *_folded("What was changed in the registration after there had been a result", diff),
        *_folded(
            "All that is said of the verdict", ["\n".join(f"- {told}" for told in finding.why)]
        ),
        *_folded("All numbers", [f"With 95 % intervals: {finding.intervals}.", *numbers]),
        f"Hash over {told_hashed(recorded)}: `{recorded.joint_hash}`. Versions: "
        f"{', '.join(f'{k} {v}' for k, v in recorded.versions.items())}. This page is made by "
        f"`mgptn experiment report {claim.name}` from [{claim.name}.json]({claim.name}.json).",
    ]


def _not_run_since(finding: Finding) -> list[str]:
    if DECIDES in finding.numbers:
        return []
    return [
        "This was found, and decided, under the registration before, which the appendix shows as "
        "what was taken out; the claim has not been run again under the one above. What it was "
        "decided by is under *What it says*."
    ]


def _changed_since(claim: Claim, recorded: Recorded) -> list[str]:
    """That a run knew another registration than the page shows; findings of old do not say."""
    if recorded.registered in ("", claim.digest):
        return []
    return [
        f"The registration was changed after this run of {_seeds(recorded)}: what was added to it "
        "since is not in these numbers."
    ]


def _interval(number: Number) -> str:
    """An interval as a cell of a table."""
    if math.isnan(number.low) or math.isnan(number.high):
        return "" if math.isnan(number.value) else number.why_no_interval
    agreed = f", no spread between {number.unit}" if number.error == 0.0 else ""
    return f"{' to '.join(ends(number.low, number.high))}{agreed}"


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


def _changed(claim: Claim, finding: Finding) -> list[str]:
    """What the verdict was before, and what of the registration was changed since."""
    before = verdict_before(claim.name)
    if before is None or not changes_since(claim.name):
        return []
    return [
        "## What changed",
        f"Before: {before}. Now: {told_verdict(finding)}. The registration was changed after there "
        "had been a result. Conditions are decided by intervals on either side, which an estimate "
        "alone did, and intervals are by the spread between seeds, which is wider. "
        f"{claim.registered.changed}".strip(),
    ]


def _folded(title: str, parts: Sequence[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", *parts, "</details>"] if parts else []


def _table(finding: Finding, group: str) -> list[str]:
    rows = [f"| {n.name} | {short(n.value)} | {_interval(n)} |" for n in finding.numbers[group]]
    return [f"### {group}", "\n".join(["| | Value | Interval |", "| --- | --- | --- |", *rows])]
