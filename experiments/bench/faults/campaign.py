"""A campaign: many schedules, each in one of several processes, and what became of every kind."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from typing import Any

from mgptn.experiments.bench.faults.kinds import SITES
from mgptn.experiments.bench.faults.lives import Ended, Life, run_schedule
from mgptn.experiments.bench.faults.world import END
from mgptn.experiments.record.manifest import library_versions

CHUNK = 20
"""Schedules that a process is given at once."""


@dataclass(slots=True)
class Tally:
    """Faults of one kind.

    Attributes
    ----------
    drawn
        Of lives that began.
    struck
        That made a difference to a call, a host or a clock.
    unnoticed
        After which the same process went on to the run's end, and its hash.
    resumed
        After which the process ended, and another went on to the end and the hash.
    named
        Of runs that could not go on, because a disk had lied of what it kept; the error says so.
    failed
        Seeds of schedules in which something did not hold that must.
    """

    drawn: int = 0
    struck: int = 0
    unnoticed: int = 0
    resumed: int = 0
    named: int = 0
    failed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Campaign:
    """What became of schedules.

    Attributes
    ----------
    first, seeds
        The first seed, and how many.
    runs
        Population → schedules of it.
    lives
        How lives ended → how many: at the run's end, without one, or in an error of a class.
    kinds
        By kind of fault.
    failures
        Seed → what did not hold.
    """

    first: int
    seeds: int
    seconds: float = 0.0
    runs: dict[str, int] = field(default_factory=dict)
    lives: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in SITES})
    failures: dict[int, str] = field(default_factory=dict)
    named: dict[int, str] = field(default_factory=dict)

    def add(self, ended: Ended) -> None:
        """Take in a schedule."""
        self.runs[ended.population] = self.runs.get(ended.population, 0) + 1
        if ended.failure:
            self.failures[ended.seed] = ended.failure
        if ended.named:
            self.named[ended.seed] = ended.named
        for place, life in enumerate(ended.lives):
            how = life.said.partition(":")[0] or life.how
            self.lives[how] = self.lives.get(how, 0) + 1
            last = place == len(ended.lives) - 1
            for fault in life.faults:
                self.kinds[fault.kind].drawn += 1
            for fault in life.struck:
                _count(self.kinds[fault.kind], ended, life, last=last)

    def to_plain(self) -> dict[str, Any]:
        """As JSON, in an order that does not depend on which schedule ended first."""
        plain = asdict(self)
        for name in ("runs", "lives", "failures", "named"):
            plain[name] = dict(sorted(plain[name].items()))
        for tally in plain["kinds"].values():
            tally["failed"].sort()
        return {"simulated": plain, "versions": library_versions()}


def _count(tally: Tally, ended: Ended, life: Life, *, last: bool) -> None:
    tally.struck += 1
    if ended.failure:
        if ended.seed not in tally.failed:
            tally.failed.append(ended.seed)
    elif ended.named:
        tally.named += 1
    elif life.how == END and last:
        tally.unnoticed += 1
    else:
        tally.resumed += 1


def from_plain(plain: dict[str, Any]) -> Campaign:
    """A campaign as `Campaign.to_plain` says it."""
    told = dict(plain["simulated"])
    told["kinds"] = {kind: Tally(**tally) for kind, tally in told["kinds"].items()}
    for name in ("failures", "named"):
        told[name] = {int(seed): said for seed, said in told[name].items()}
    return Campaign(**told)


def run_campaign(first: int, seeds: int, processes: int) -> Iterator[Campaign]:
    """The campaign as far as it has got, again and again, until it is done.

    Parameters
    ----------
    processes
        That work side by side; 1 is this one.
    """
    began = time.perf_counter()
    campaign = Campaign(first, seeds)
    for ended in _all_ended(range(first, first + seeds), processes):
        for one in ended:
            campaign.add(one)
        campaign.seconds = time.perf_counter() - began
        yield campaign


def _all_ended(seeds: range, processes: int) -> Iterator[Sequence[Ended]]:
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    if processes == 1:
        yield from map(_ended, chunks)
        return
    # Anew and not forked: what has been imported here may have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_deaf) as pool:
        try:
            for done in as_completed([pool.submit(_ended, chunk) for chunk in chunks]):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ended(seeds: Iterable[int]) -> list[Ended]:
    """Some schedules, without all that happened in them: a seed tells it again."""
    ended = [run_schedule(seed) for seed in seeds]
    for one in ended:
        one.told.clear()
    return ended


def _deaf() -> None:
    """Ctrl-C ends the campaign, which ends its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
