"""`mgptn bench population`: how fast populations turn over, from a hundred agents to a million.

Births and deaths alone are timed interleaved, so that a machine that slows down slows all sizes and
contestants alike; medians over repeats come with their spread.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from mgptn.experiments.bench.scripted import SIZES as SIMULATED
from mgptn.experiments.bench.scripted import simulated, simulated_table
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.views.doing import doing
from mgptn.population.breeding import moran
from mgptn.population.breeding.operators import replication_rates
from mgptn.population.breeding.wright_fisher import sample_parents
from mgptn.population.draws.streams import stream
from mgptn.population.theory.fixation import count_fixations

SIZES = (10**2, 10**3, 10**4, 10**5, 10**6)
LEAST_SECONDS = 0.05
"""A timing lasts at least this long, by as many generations as that takes."""

LARGE = 10**4
"""From here on the cost of calling NumPy does not matter to the exponent."""

AGENTS, RELATIVE_FITNESS, TRIALS = 100, 1.1, 1000
EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class Turnover:
    """A process at some population sizes: seconds of one generation, [size][repeat]."""

    process: str
    sizes: tuple[int, ...]
    seconds: tuple[tuple[float, ...], ...]

    def exponent(self, least: int = 0) -> float:
        """The a of seconds ∝ size^a, fitted to the medians of sizes of at least `least`."""
        known = [i for i, size in enumerate(self.sizes) if size >= least]
        if len(known) < 2:
            return math.nan
        x = np.log([self.sizes[i] for i in known])
        y = np.log([statistics.median(self.seconds[i]) for i in known])
        return float(np.polyfit(x, y, 1)[0])


@dataclass(frozen=True, slots=True)
class Contest:
    """The same work by two libraries: seconds of each repeat, and what came out if anything."""

    work: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    our_result: float | None = None
    their_result: float | None = None

    @property
    def ratios(self) -> list[float]:
        """Theirs over ours, repeat by repeat: above 1, ours is faster."""
        return [b / a for a, b in zip(self.ours, self.theirs, strict=True)]


def population(
    console: Console, repeats: int, out: Path | None, sizes: tuple[int, ...] = SIZES
) -> None:
    """Measure, print, and write JSON if asked to."""
    with doing("timing selection"):
        turnovers = _turnovers(sizes, repeats)
    console.print(_table(turnovers))
    for turnover in turnovers:
        large = turnover.exponent(LARGE)
        console.print(
            f"{turnover.process}: seconds a generation grow as M^{turnover.exponent():.2f}"
            + (f", as M^{large:.2f} from M = {LARGE:,} on" if math.isfinite(large) else ""),
            highlight=False,
        )
    whole = simulated(tuple(s for s in sizes if s in SIMULATED), repeats)
    console.print(simulated_table(whole))
    contests = _contests(repeats)
    if contests:
        console.print(_contest_table(contests))
        console.print(
            "egttools compares pairs by Fermi's rule, which has the Moran process's fixation "
            "probability. Events: ours choose among agents of any fitness, theirs among two "
            "kinds. Fixation: ours passes over events that change nothing, theirs draws them.",
            highlight=False,
        )
    else:
        console.print("egttools: not installed, so nothing to compare with", highlight=False)
    if out is not None:
        plain = {
            "turnovers": [
                asdict(t) | {"exponent": t.exponent(), "exponent_large": t.exponent(LARGE)}
                for t in turnovers
            ],
            "simulated": [asdict(one) for one in whole],
            "egttools": [asdict(c) | {"ratios": c.ratios} for c in contests] or None,
            "versions": library_versions(),
        }
        text = json.dumps(plain, indent=2).replace("NaN", "null")
        out.write_text(text + "\n", encoding="utf-8")


def _wright_fisher(fitness: NDArray[np.float64], rng: np.random.Generator) -> None:
    sample_parents(replication_rates(fitness, 0.1), rng)


def _moran(fitness: NDArray[np.float64], rng: np.random.Generator) -> None:
    moran.sample_events(replication_rates(fitness, 0.1), fitness.size, rng)


def _turnovers(sizes: tuple[int, ...], repeats: int) -> list[Turnover]:
    processes = {"Wright–Fisher": _wright_fisher, "Moran": _moran}
    fitness = {size: stream(0, "bench fitness", size).random(size) for size in sizes}
    rng = stream(0, "bench births")
    generations = {
        (name, size): _generations(lambda: run(fitness[size], rng))  # noqa: B023
        for name, run in processes.items()
        for size in sizes
    }
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in generations}
    for _ in range(repeats):
        for (name, size), count in generations.items():
            began = time.perf_counter()
            for _ in range(count):
                processes[name](fitness[size], rng)
            seconds[name, size].append((time.perf_counter() - began) / count)
    return [
        Turnover(name, sizes, tuple(tuple(seconds[name, size]) for size in sizes))
        for name in processes
    ]


def _generations(run: Callable[[], None]) -> int:
    """How many generations take long enough to be timed; the first one warms up."""
    run()
    began = time.perf_counter()
    run()
    return max(1, math.ceil(LEAST_SECONDS / (time.perf_counter() - began)))


def _contests(repeats: int) -> list[Contest]:
    """Moran events and fixation, ours and egttools'; none where egttools is not installed."""
    if importlib.util.find_spec("egttools") is None:
        return []
    games: Any = importlib.import_module("egttools.games")
    numerical: Any = importlib.import_module("egttools.numerical")
    # Pairwise comparison by Fermi's rule has the fixation probability of r = exp(β·difference).
    payoffs = np.array([[1.0 + math.log(RELATIVE_FITNESS)] * 2, [1.0] * 2])
    game = games.Matrix2PlayerGameHolder(2, payoffs)
    theirs = numerical.PairwiseComparisonNumerical(AGENTS, game, 1000)
    half = np.array([AGENTS // 2] * 2)
    rates = np.where(np.arange(AGENTS) < AGENTS // 2, RELATIVE_FITNESS, 1.0)
    rng = stream(0, "bench fixation")
    exact = moran.fixation_probability(RELATIVE_FITNESS, AGENTS)

    def our_fixation() -> float:
        return count_fixations("moran", RELATIVE_FITNESS, AGENTS, TRIALS, rng) / TRIALS

    def their_fixation() -> float:
        return float(theirs.estimate_fixation_probability(0, 1, TRIALS, 10**7, 1.0))

    return [
        _contest(
            f"{EVENTS:,} events among {AGENTS}",
            # Enough mutation that their population never rests; ours draws every event anyway.
            lambda: bool(moran.sample_events(rates, EVENTS, rng)) and None,
            lambda: bool(theirs.evolve(EVENTS, 1.0, 0.01, half).size) and None,
            repeats,
        ),
        _contest(
            f"fixation of r = {RELATIVE_FITNESS} among {AGENTS}, {TRIALS:,} trials "
            f"(exact {exact:.4f})",
            our_fixation,
            their_fixation,
            repeats,
        ),
    ]


def _contest(
    work: str, ours: Callable[[], float | None], theirs: Callable[[], float | None], repeats: int
) -> Contest:
    ours()
    theirs()
    times: tuple[list[float], list[float]] = ([], [])
    results: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for contestant, seconds, found in zip((ours, theirs), times, results, strict=True):
            began = time.perf_counter()
            result = contestant()
            seconds.append(time.perf_counter() - began)
            found += [] if result is None else [result]
    means = [statistics.fmean(found) if found else None for found in results]
    return Contest(work, tuple(times[0]), tuple(times[1]), means[0], means[1])


def _table(turnovers: list[Turnover]) -> Table:
    table = Table(
        "agents",
        *(f"{t.process}, generations/s" for t in turnovers),
        title="Generations a second: median over repeats, least to most; a Moran generation is as "
        "many events as agents",
        title_justify="left",
    )
    for i, size in enumerate(turnovers[0].sizes):
        table.add_row(f"{size:,}", *(_spread([1.0 / s for s in t.seconds[i]]) for t in turnovers))
    return table


def _contest_table(contests: list[Contest]) -> Table:
    table = Table(
        "work", "ratio (spread)", "ours, s", "theirs, s", "ours", "theirs",
        title="Beside egttools; a ratio above 1 says that ours is faster",
        title_justify="left",
    )  # fmt: skip
    for c in contests:
        table.add_row(
            c.work,
            _spread(c.ratios),
            *(_short(statistics.median(seconds)) for seconds in (c.ours, c.theirs)),
            *("" if r is None else f"{r:.4f}" for r in (c.our_result, c.their_result)),
        )
    return table


def _spread(values: list[float] | tuple[float, ...]) -> str:
    middle, low, high = (_short(f(values)) for f in (statistics.median, min, max))
    return f"{middle} ({low} to {high})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
