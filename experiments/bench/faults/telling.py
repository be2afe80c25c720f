"""What is told of a campaign, and of one schedule: tables, a page's part, and steps."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from operator import methodcaller
from pathlib import Path

from rich.table import Table

from mgptn.agents.files import write_whole
from mgptn.experiments.bench.faults.campaign import Campaign
from mgptn.experiments.bench.faults.kinds import MEANINGS
from mgptn.experiments.bench.faults.lives import Ended
from mgptn.experiments.bench.faults.world import DIED, STOPPED
from mgptn.experiments.bench.faults.world import END as LAST
from mgptn.experiments.config.run_config import ConfigError

COLUMNS = ("drawn", "struck", "unnoticed", "resumed", "named", "failed")
BEGIN = "<!-- simulated faults: written by `mgptn bench faults --page` -->"
END = "<!-- /simulated faults -->"


def table(campaign: Campaign) -> Table:
    """By kind of fault, for a terminal of 80 columns."""
    made = Table("fault", *COLUMNS, title=_title(campaign))
    for column in made.columns[1:]:
        column.justify = "right"
    for row in _rows(campaign):
        made.add_row(*row)
    return made


def steps(ended: Ended) -> list[str]:
    """Everything that happened in one schedule, a line each."""
    hosts = "no host" if ended.population == "scripted" else f"{ended.hosts} hosts"
    last = "ended in the hash of a run that nothing befell"
    if ended.named:
        last = f"could not go on, because the disk lied, and said so: {ended.named}"
    if ended.failure:
        last = "something that must hold did not"
    return [f"seed {ended.seed}: {ended.population}, {hosts}", *ended.told, last]


def page_part(campaign: Campaign) -> str:
    """A campaign as part of a page, no number of which is typed."""
    lives = campaign.lives
    ended, died, stopped = (lives.get(how, 0) for how in (LAST, DIED, STOPPED))
    errors = sorted((-n, how) for how, n in lives.items() if how.endswith("Error"))
    told = ", ".join(f"{how} {-n:,}" for n, how in errors)
    rows = [("fault", "what happens", *COLUMNS), ("---", "---", *["---:"] * len(COLUMNS))]
    for kind, row in zip(campaign.kinds, _rows(campaign), strict=True):
        rows.append((kind, MEANINGS[kind], *row[1:]))
    return "\n".join(
        [
            BEGIN,
            "",
            f"{campaign.seeds:,} schedules, seeds {campaign.first} to "
            f"{campaign.first + campaign.seeds - 1}. Of {sum(lives.values()):,} processes "
            f"{ended:,} came to the run's end, {died:,} died, {stopped:,} were interrupted; "
            f"the others stopped with an error of one line ({told}). "
            f"**{len(campaign.failures):,} schedules failed.**",
            "",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            END,
        ]
    )


def put_part(page: Path, campaign: Campaign) -> None:
    """Write a page's part anew.

    Raises
    ------
    ConfigError
        If it has none.
    """
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        raise ConfigError(f"{page}: expected a part between {BEGIN} and {END}, got none")
    told = pattern.sub(lambda _: page_part(campaign), text)
    write_whole(page, methodcaller("write", told.encode()))


def _title(campaign: Campaign) -> str:
    return f"{campaign.seeds:,} schedules of simulated faults, {campaign.seconds:.0f} s"


def _rows(campaign: Campaign) -> list[tuple[str, ...]]:
    return [
        (
            kind,
            *(f"{n:,}" for n in (t.drawn, t.struck, t.unnoticed, t.resumed, t.named)),
            f"{len(t.failed):,}",
        )
        for kind, t in campaign.kinds.items()
    ]
