"""The README's first picture: the phase diagram, what its finding says, and what it does not."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import re
from operator import methodcaller
from pathlib import Path

from mgptn.agents.files import write_whole
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.numbers import short
from mgptn.experiments.claims.phase_diagram.analysis import BOUNDARIES, COMPUTE, SHARES
from mgptn.experiments.claims.running import Recorded
from mgptn.experiments.claims.table import ANALYSES

CLAIM = "phase-diagram"
BEGIN = "<!-- phase-diagram: written by `mgptn experiment report phase-diagram` -->"
END = "<!-- /phase-diagram -->"


def front(recorded: Recorded) -> str:
    """Figure and sentences, no number of which is typed."""
    finding = recorded.finding
    others = len(ANALYSES) - 1
    parts = [
        BEGIN,
        f"![The phase diagram](docs/figures/results/{CLAIM}.png)",
        "*Above: the share of runs in which m copies of GPT-n, that grade each other and replicate "
        "by their grades, end with no more errors than the majority vote of any unselected M-GPT-N "
        "above them; black, the fitted boundary. Below: the errors of those collectives beside the "
        "lowest of those votes.*",
        f"**What it says.** {_says(finding)}",
        f"**What it does not say.** {' '.join(finding.caveats[:3])}",
        f"As it was registered, the claim of a convex boundary with success inside is "
        f"**{_told(finding)}**: [the page](docs/results/{CLAIM}.md) has numbers, intervals and the "
        f"command; [docs/results](docs/results/README.md) has the {others} other claims.",
        END,
    ]
    return "\n\n".join(parts)


def put_front(readme: Path, recorded: Recorded) -> list[Path]:
    """Write the picture's part of a README anew, if it has one."""
    if not readme.exists():
        return []
    text = readme.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        return []
    told = pattern.sub(lambda _: front(recorded), text)
    write_whole(readme, methodcaller("write", told.encode()))
    return [readme]


def _says(finding: Finding) -> str:
    """Which rungs are amplified, task by task, from what m on, and what more agents do."""
    shares = [row for row in finding.numbers[SHARES] if ", " in row.name]
    tasks = list(dict.fromkeys(row.name.partition(", ")[0] for row in shares))
    twins = finding.number(SHARES, "random-selector twins")
    sentences = []
    changes = []
    for task in tasks:
        rungs = [row for row in shares if row.name.startswith(f"{task}, ")]
        bounds = [
            row.value for row in finding.numbers[BOUNDARIES] if row.name.startswith(f"{task}, ")
        ]
        told = [
            f"{short(row.value)} of {row.name.partition(', ')[2]}"
            + (f" (from m ≈ {bound:.0f})" if math.isfinite(bound) else "")
            for row, bound in zip(rungs, bounds, strict=True)
        ]
        top = rungs[-1].name
        sizes, errors = finding.curves[f"{top}: sizes"], finding.curves[f"{top}: error"]
        changes.append(errors[-1] - errors[0])
        sentences.append(
            f"On {task}, runs amplified are {', '.join(told)}; the error of "
            f"{top.partition(', ')[2]} goes from {short(errors[0])} at m = {sizes[0]:.0f} to "
            f"{short(errors[-1])} at m = {sizes[-1]:.0f}."
        )
        sentences += _cheapest(finding, [row.name for row in rungs])
    sentences.append(f"Where a coin selects instead of peers, {short(twins.value)} are.")
    if min(changes) < 0.0 < max(changes):
        sentences.append(
            "Where the models judge well, more agents are better; where they do not, more agents "
            "find more answers that the judges wrongly like."
        )
    return " ".join(sentences)


def _cheapest(finding: Finding, rungs: list[str]) -> list[str]:
    """What the smallest population of the smallest rung that is always amplified takes."""
    for rung in rungs:
        shares = finding.curves[f"{rung}: amplified"]
        for size, share in zip(finding.curves[f"{rung}: sizes"], shares, strict=True):
            if share == 1.0:
                flops = finding.number(COMPUTE, f"clones, {rung}, m = {size:.0f}").value
                some = f"{size:.0f} of {rung.partition(', ')[2]}"
                return [
                    f"There {some} were enough in every run, and a whole run takes {short(flops)} "
                    "of the FLOPs of the costliest vote above them."
                ]
    return []


def _told(finding: Finding) -> str:
    return {"holds": "upheld", "fails": "refuted", "undecided": "undecided"}[finding.verdict]
