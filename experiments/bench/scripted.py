"""The whole simulator without a model, timed: what a generation of scripted agents takes.

All that `mgptn run` does for each generation is in it: matches, answers, grades, selection, the
journal synced to disk, measures, metrics and the live table. Tables and report, made once at a
run's end, are not.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import multiprocessing
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from mgptn.experiments.config.arms import arms_of
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.running.session import Session
from mgptn.experiments.views.metrics import RunMetrics

SIZES = (10**2, 10**3, 10**4)
PROBLEMS, GRADERS = 64, 8


@dataclass(frozen=True, slots=True)
class Simulated:
    """A run of scripted agents.

    Attributes
    ----------
    size, arms
        Agents of each arm, and arms.
    seconds
        Wall time of each generation, the first one, which warms up, left out.
    processor_seconds
        This process's time on a processor in the same generations.
    peak_bytes
        Of resident memory, of a process that does nothing else.
    journal_bytes
        Of a generation.
    """

    size: int
    arms: int
    seconds: tuple[float, ...]
    processor_seconds: tuple[float, ...]
    peak_bytes: int
    journal_bytes: int


def simulated(sizes: tuple[int, ...], generations: int) -> list[Simulated]:
    """Runs without controls and with them at each size, each in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    found = []
    for size in sizes:
        for controls in (False, True):
            with spawn.Pool(1) as pool:
                found.append(pool.apply(simulate, (size, controls, generations)))
    return found


def simulate(size: int, controls: bool, generations: int) -> Simulated:
    """A run of scripted agents in this process, its folder thrown away."""
    from mgptn.experiments.running.run import Watch, run_what_is_left
    from mgptn.experiments.setting.stage import Stage
    from mgptn.experiments.views.live import LiveTable

    config = check_config(
        {
            "name": "bench",
            "task": {"size": 4},
            "population": {"size": size, "generations": generations + 1},
            "agents": {"model": "scripted"},
            "protocol": {"graders": GRADERS},
            "problems_per_generation": PROBLEMS,
        }
    )
    stage, arms = Stage(config), arms_of(config, controls)
    moments: list[tuple[float, float]] = []
    table = LiveTable(Console(file=io.StringIO()), "bench", generations)
    with tempfile.TemporaryDirectory() as folder:
        session = Session.create(Path(folder) / "run", config, arms, stage, "cpu")
        watch = Watch(config)
        session.observers += [watch, lambda done: moments.append(_moment())]
        metrics = RunMetrics(config.name, config.task.name, arms)
        run_what_is_left(session, stage.local_fleet(), metrics, table, watch)
        journal = (session.folder / JOURNAL).stat().st_size
    # Columns: wall time and time on a processor.
    times = np.diff(np.array(moments), axis=0)
    wall, processor = (tuple(column) for column in times.T.tolist())
    return Simulated(size, len(arms), wall, processor, peak_bytes(), journal // (generations + 1))


def simulated_table(found: list[Simulated]) -> Table:
    """What `simulated` found, for a reader."""
    table = Table(
        "agents", "arms", "s a generation", "of it on a processor", "peak memory", "journal",
        title=f"The whole simulator without a model: {PROBLEMS} problems, {GRADERS} graders; "
        "median over generations, least to most",
        title_justify="left",
    )  # fmt: skip
    for one in found:
        table.add_row(
            f"{one.size:,}",
            str(one.arms),
            _spread(one.seconds),
            _spread(one.processor_seconds),
            f"{one.peak_bytes / 2**30:.2f} GiB",
            f"{one.journal_bytes / 1e6:.1f} MB a generation",
        )
    return table


def _spread(values: tuple[float, ...]) -> str:
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def _moment() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def peak_bytes() -> int:
    """Bytes of this process's resident memory at its highest, where the system tells it."""
    return memory_bytes("VmHWM")


def memory_bytes(what: str) -> int:
    """Bytes of this process's resident memory: ``VmRSS`` now, ``VmHWM`` at its highest."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))
