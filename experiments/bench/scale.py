"""`mgptn bench scale`: a large population's run and every view of it, in time, memory and bytes.

Agents have no model, so that what is measured is the simulator's own. The run and each view have a
process of their own.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from mgptn.agents.collecting import seldom_collecting
from mgptn.experiments.bench.scripted import memory_bytes, peak_bytes
from mgptn.experiments.config.arms import arms_of
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.running.session import Session
from mgptn.experiments.views.metrics import RunMetrics

PROBLEMS, GRADERS = 4, 4


@dataclass(frozen=True, slots=True)
class Growth:
    """A run, by generation.

    Attributes
    ----------
    size, arms
        Agents of each arm, and arms.
    seconds
        Time on a processor of each generation but the first.
    memory
        Bytes of resident memory after each of them.
    journal_bytes
        Of the whole journal.
    series
        That Prometheus sees of it.
    """

    size: int
    arms: int
    seconds: tuple[float, ...]
    memory: tuple[int, ...]
    journal_bytes: int
    series: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A view of a run: wall time, time on a processor, highest memory, bytes written or read."""

    view: str
    seconds: float
    processor_seconds: float
    peak_bytes: int
    size: int


def scale(console: Console, size: int, generations: int, out: Path | None) -> None:
    """Measure, print, and write JSON if asked to."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        with spawn.Pool(1) as pool:
            grown = pool.apply(grow, (folder, size, generations))
        console.print(_growth_table(grown))
        seen = []
        for view in VIEWS:
            with spawn.Pool(1) as pool:
                seen.append(pool.apply(look, (folder, view)))
    console.print(_views_table(seen))
    if out is not None:
        plain = {
            "run": asdict(grown),
            "views": [asdict(one) for one in seen],
            "versions": library_versions(),
        }
        out.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")


def grow(folder: Path, size: int, generations: int) -> Growth:
    """A run of scripted agents with its controls, in this process."""
    from mgptn.experiments.running.run import Watch, run_what_is_left
    from mgptn.experiments.setting.stage import Stage
    from mgptn.experiments.views.live import LiveTable

    config = check_config(
        {
            "name": "scale",
            "task": {"size": 4},
            "population": {"size": size, "generations": generations},
            "agents": {"model": "scripted"},
            "protocol": {"graders": GRADERS},
            "problems_per_generation": PROBLEMS,
        }
    )
    stage, arms = Stage(config), arms_of(config, controls=True)
    moments: list[float] = []
    memory: list[int] = []
    with seldom_collecting():
        session = Session.create(folder, config, arms, stage, "cpu")
        watch = Watch(config)
        metrics = RunMetrics(config.name, config.task.name, arms)

        def look_on(done: object) -> None:
            moments.append(time.process_time())
            memory.append(memory_bytes("VmRSS"))

        session.observers += [watch, look_on]
        table = LiveTable(Console(file=io.StringIO()), "scale", generations)
        run_what_is_left(session, stage.local_fleet(), metrics, table, watch)
    series = sum(len(family.samples) for family in metrics.registry.collect())
    seconds = tuple(np.diff(moments).tolist())
    journal = (folder / JOURNAL).stat().st_size
    return Growth(size, len(arms), seconds, tuple(memory[1:]), journal, series)


def _read(folder: Path) -> int:
    from mgptn.experiments.record.rounds import read_rounds

    for _ in read_rounds(folder):
        pass
    return (folder / JOURNAL).stat().st_size


def _replay(folder: Path) -> int:
    from mgptn.experiments.running.replay import replay

    if not replay(folder).confirmed:
        raise AssertionError(f"{folder}: expected a run that is confirmed")
    return (folder / JOURNAL).stat().st_size


def _report(folder: Path) -> int:
    from mgptn.experiments.results.derive import write_results

    write_results(folder)
    return (folder / "report.html").stat().st_size


def _compact(folder: Path) -> int:
    from mgptn.experiments.running.compact import ALL, compact

    return compact(folder, ALL).after


VIEWS: dict[str, Callable[[Path], int]] = {
    "journal read": _read,
    "replay": _replay,
    "report": _report,
    "compact": _compact,
    "compact journal read": _read,
    "compact journal's replay": _replay,
}
"""What is done with the run, in this order, and the bytes that it reads or leaves."""


def look(folder: Path, view: str) -> Seen:
    """One of `VIEWS`, in this process."""
    began, worked = time.perf_counter(), sum(os.times()[:4])
    with seldom_collecting():
        size = VIEWS[view](folder)
    worked = sum(os.times()[:4]) - worked  # of the processes that it started, too
    return Seen(view, time.perf_counter() - began, worked, peak_bytes(), size)


def _growth_table(grown: Growth) -> Table:
    table = Table(
        "generations", "s a generation, on a processor", "memory after them",
        title=f"{grown.size:,} agents in each of {grown.arms} arms, {PROBLEMS} problems, {GRADERS} "
        f"graders; journal {grown.journal_bytes / 1e6:.1f} MB, {grown.series:,} series",
        title_justify="left",
    )  # fmt: skip
    for part in np.array_split(np.arange(len(grown.seconds)), min(4, len(grown.seconds))):
        seconds: Any = np.array(grown.seconds)[part]
        table.add_row(
            f"{part[0] + 1} to {part[-1] + 1}",
            f"{np.median(seconds):.3g} ({seconds.min():.3g} to {seconds.max():.3g})",
            f"{grown.memory[part[-1]] / 2**20:.0f} MiB",
        )
    return table


def _views_table(seen: list[Seen]) -> Table:
    table = Table("view", "s", "of it on a processor", "peak memory", "MB")
    for one in seen:
        table.add_row(
            one.view,
            f"{one.seconds:.1f}",
            f"{one.processor_seconds:.1f}",
            f"{one.peak_bytes / 2**20:.0f} MiB",
            f"{one.size / 1e6:.1f}",
        )
    return table
