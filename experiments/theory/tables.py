"""What `mgptn theory` prints: a table of theory beside simulation, and the conclusion in words."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mgptn.experiments.theory import threshold
from mgptn.experiments.theory.closed_forms import POPULATIONS, Chaining, Fixation
from mgptn.experiments.theory.threshold import Threshold
from mgptn.population.theory.fixation import PROCESSES


def print_chaining(console: Console, found: Chaining) -> None:
    """The trajectory round by round, rounds to the target, and where simulation departs."""
    tpr, fpr = found.rates
    ratio = f"{tpr / fpr:.4g}" if fpr > 0.0 else "infinite" if tpr > 0.0 else "undefined"
    table = _table(
        f"Iterative classification: TPR {tpr:.4g}, FPR {fpr:.4g}, Λ {ratio}, J {tpr - fpr:.4g}",
        ["round", "error", "odds", "append", "shared", "95 % interval", "within", "own"],
    )
    shared, own = found.shared, found.own
    for i, error in enumerate(found.errors):
        table.add_row(
            str(i),
            _share(error),
            _number(error / (1.0 - error) if error < 1.0 else math.inf, 3),
            _share(found.append_rates[i]),
            _share(shared.middle[i]),
            f"{_share(shared.low[i])}–{_share(shared.high[i])}",
            "yes" if found.within[i] else "no",
            _share(own.middle[i]),
        )
    console.print(table)
    _say(
        console,
        "Theory: error, its odds, append rate. Simulated: median error of populations with one "
        "shared buffer, and mean error of agents with a buffer of their own.",
    )
    _say(console, _rounds(found))
    rounds = len(found.errors) - 1
    _say(
        console,
        f"The recurrence lies within the simulated 95 % interval in "
        f"{int(found.within[1:].sum())} of {rounds} rounds ({POPULATIONS} populations of "
        f"{found.agents} agents that share one buffer, {found.answers} answers each a round).",
    )
    expected = found.errors * found.agents * found.answers * found.rates.fpr
    if np.any(expected[:-1] < 3.0) and not found.within.all():
        _say(
            console,
            "Where it does not: a population that gets hardly any wrong answer accepted soon has "
            "an error of exactly 0, which the recurrence only approaches.",
        )
    _say(
        console,
        f"With a buffer each, agents drift: {found.all_wrong:.1%} ended with nothing but wrong "
        f"answers in theirs, {found.all_right:.1%} with none.",
    )


def _rounds(found: Chaining) -> str:
    start = f"Rounds to an error of {found.target:g}: "
    if math.isinf(found.needed):
        theory = "never by theory"
    else:
        theory = f"{found.needed:.2f} by theory, so {math.ceil(found.needed)}"
    simulated = (
        f"{found.reached} simulated"
        if found.reached is not None
        else f"not within the {len(found.errors) - 1} that were simulated"
    )
    return f"{start}{theory}; {simulated}."


def print_fixation(console: Console, found: Fixation) -> None:
    """The exact value of every process beside the one that was simulated."""
    table = _table(
        f"Fixation of one mutant of relative fitness {found.relative_fitness:g} among "
        f"{found.size} (neutral: {_number(1.0 / found.size)})",
        ["process", "exact", f"share of {found.trials} trials", "95 % interval", "within"],
    )
    for name, process in PROCESSES.items():
        if name == found.process:
            table.add_row(
                name,
                _number(found.exact, 6),
                _number(found.share, 6),
                f"{_number(found.low)}–{_number(found.high)}",
                "yes" if found.within else "no",
            )
        else:
            exact = process.exact(found.relative_fitness, found.size)
            table.add_row(name, _number(exact, 6), "", "", "")
    console.print(table)
    drift = found.size * (found.relative_fitness - 1.0)
    _say(console, f"N·s = {drift:.3g}: {_barrier(drift)} The interval is Wilson's.")


def _barrier(drift: float) -> str:
    if abs(drift) < 1.0:
        return "below the drift barrier, the mutant is nearly neutral."
    if drift > 0.0:
        return "above the drift barrier, selection favours it."
    return "selection is against it."


def print_threshold(console: Console, found: Threshold) -> None:
    """The master's share against the error rate, on both sides of the threshold."""
    sizes = list(found.masters)
    table = _table(
        f"Share of the master: σ = {found.superiority:g}, L = {found.length}, "
        f"μ_c ≈ 1 − σ^(−1/L) = {_number(found.threshold, 6)}",
        ["μ/μ_c", "μ", "exact", "one-way", *(f"N = {n}" for n in sizes)],
    )
    for i, rate in enumerate(found.error_rates):
        table.add_row(
            f"{rate / found.threshold:.2f}",
            _number(rate),
            _number(found.exact[i], 2),
            _number(found.nearly[i], 2),
            *(
                f"{band.middle[i]:.4f}±{band.high[i] - band.middle[i]:.4f}"
                for band in found.masters.values()
            ),
        )
    console.print(table)
    _say(
        console,
        "One-way is without back mutation, (σ(1−μ)^L − 1)/(σ − 1). Simulated: "
        f"{threshold.POPULATIONS} Wright–Fisher populations that begin with the master "
        f"alone, mean over generations {found.generations // 2} to {found.generations}, 95 % "
        "interval over populations.",
    )
    size = max(sizes)
    distance = found.distances[size].middle
    _say(
        console,
        f"Mean distance from the master at N = {size}: {distance[0]:.3f}·L at "
        f"{found.error_rates[0] / found.threshold:.2f} μ_c, {distance[-1]:.3f}·L at "
        f"{found.error_rates[-1] / found.threshold:.2f} μ_c; 0.5·L is a population without memory "
        "of it. Small populations lose the master at a lower error rate.",
    )


def _table(title: str, headings: list[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for heading in headings:
        side: Literal["left", "right"] = "left" if heading == "process" else "right"
        table.add_column(heading, justify=side, overflow="fold")
    return table


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False)


def _share(value: float) -> str:
    """Four decimals, or the exponent where they would show nothing."""
    return f"{value:.4f}" if value == 0.0 or value >= 1e-3 else f"{value:.1e}"


def _number(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}g}"
