"""The README's first picture: the phase diagram, and its finding in three sentences."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from operator import methodcaller
from pathlib import Path

from mgptn.agents.files import write_whole
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.numbers import short
from mgptn.experiments.claims.phase_diagram.analysis import SHARES
from mgptn.experiments.claims.running import Recorded
from mgptn.experiments.claims.table import ANALYSES

CLAIM = "phase-diagram"
BEGIN = "<!-- phase-diagram: written by `mgptn experiment report phase-diagram` -->"
END = "<!-- /phase-diagram -->"


def front(recorded: Recorded) -> str:
    """Figure and three sentences, no number of which is typed."""
    finding = recorded.finding
    others = len(ANALYSES) - 1
    parts = [
        BEGIN,
        f"![The phase diagram](docs/figures/results/{CLAIM}.png)",
        "*Above: the share of runs in which m copies of GPT-n, that grade each other and replicate "
        "by their grades, end with no more errors than the majority vote of any unselected M-GPT-N "
        "above them; black, the fitted boundary. Below: the errors of those collectives beside the "
        "lowest of those votes.*",
        f"{_says(finding)} As it was registered, the claim of a convex boundary with success "
        f"inside is **{_told(finding)}**: [its page](docs/results/{CLAIM}.md) has what this does "
        "not say, numbers, intervals and the command; [docs/results](docs/results/README.md) has "
        f"the {others} other claims.",
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
    """Two sentences: which rungs are amplified, task by task, and what more agents do."""
    shares = [row for row in finding.numbers[SHARES] if ", " in row.name]
    twins = finding.number(SHARES, "random-selector twins")
    changes: list[float] = []
    told: list[str] = []
    for task in dict.fromkeys(row.name.partition(", ")[0] for row in shares):
        rungs = [row for row in shares if row.name.startswith(f"{task}, ")]
        *most, last = (f"{short(row.value)} of {row.name.partition(', ')[2]}" for row in rungs)
        each = f"{', '.join(most)} and {last}" if most else last
        top = rungs[-1].name
        sizes, errors = finding.curves[f"{top}: sizes"], finding.curves[f"{top}: error"]
        changes.append(errors[-1] - errors[0])
        told.append(
            f"on {task} {each} are amplified, and the error of {top.partition(', ')[2]} goes from "
            f"{short(errors[0])} at m = {sizes[0]:.0f} to {short(errors[-1])} at m = "
            f"{sizes[-1]:.0f}"
        )
    both = (
        "; where the models judge well, more agents are better, and where they do not, more agents "
        "find more answers that the judges wrongly like"
    )
    more = both if min(changes) < 0.0 < max(changes) else ""
    return (
        f"Of all runs, {'; '.join(told)}. Where a coin selects instead of peers, "
        f"{short(twins.value)} are{more}."
    )


def _told(finding: Finding) -> str:
    return {"holds": "upheld", "fails": "refuted", "undecided": "undecided"}[finding.verdict]
