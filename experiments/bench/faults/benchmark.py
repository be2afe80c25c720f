"""`mgptn bench faults`: a campaign of simulated faults, or one schedule of it step by step."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from operator import methodcaller
from pathlib import Path

from rich.console import Console

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.files import write_whole
from mgptn.experiments.bench.faults.campaign import Campaign, run_campaign
from mgptn.experiments.bench.faults.lives import run_schedule
from mgptn.experiments.bench.faults.telling import put_part, steps, table
from mgptn.experiments.views.progress import progress

SHOWN = 20
"""Failures that are listed; the rest are in the JSON."""


def faults(
    console: Console,
    seeds: int,
    first: int = 0,
    processes: int | None = None,
    out: Path | None = None,
    page: Path | None = None,
) -> int:
    """Run schedules, print what became of each kind of fault, and write it; 0 if none failed.

    Parameters
    ----------
    processes
        That work side by side; by CPUs, if not given.
    page
        Whose part about them is written anew.

    Raises
    ------
    ConfigError
        If the page has no such part.
    """
    workers = min(processes or usable_cpus(), seeds)
    campaign = Campaign(first, 0)
    with progress(console) as bar:
        task = bar.add_task("schedules", total=seeds)
        for campaign in run_campaign(first, seeds, workers):
            bar.update(task, completed=sum(campaign.runs.values()))
    console.print(table(campaign))
    for seed, failure in sorted(campaign.failures.items())[:SHOWN]:
        console.print(f"seed {seed}: {failure}", highlight=False, markup=False)
    if campaign.failures:
        console.print("mgptn bench faults --seed SEED shows each, step by step", highlight=False)
    if out is not None:
        text = json.dumps(campaign.to_plain(), indent=1) + "\n"
        write_whole(out, methodcaller("write", text.encode()))
    if page is not None:
        put_part(page, campaign)
    return 1 if campaign.failures else 0


def one_schedule(console: Console, seed: int) -> int:
    """Run one schedule, and print all that happened; 0 if all held."""
    ended = run_schedule(seed)
    for line in steps(ended):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return 1 if ended.failure else 0
