"""`mgptn bench sandbox`: what each kind of sandbox that works here does in a second, and holds."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from operator import methodcaller
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.files import write_whole
from mgptn.agents.sandbox.kinds import KINDS, MEND, fault_of, make_sandbox
from mgptn.agents.sandbox.programs import MIB, Kind, Limits
from mgptn.experiments.bench.sandbox.attacks import Attempt, attempt_all, read_attacks
from mgptn.experiments.bench.sandbox.speed import Speed, measured
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.views.doing import doing

PROGRAMS: Final[Mapping[Kind, int]] = {"bubblewrap": 400, "interpreter": 5000}
"""Of a repeat."""

ATTACKED: Final = Limits(seconds=0.3, wall=60.0, memory=128 * MIB)


def sandbox(console: Console, repeats: int, attacks: bool, out: Path | None) -> int:
    """Measure, print, and write JSON if asked to; 1 if an attack was not contained, or none works.

    Parameters
    ----------
    attacks
        Whether programs that attack are run, in place of the speed.
    """
    kinds = [kind for kind in KINDS if not fault_of(kind)]
    for kind in KINDS:
        if kind not in kinds:
            console.print(f"{kind}: does not work here: {fault_of(kind)}", highlight=False)
    if not kinds:
        console.print(MEND, highlight=False, markup=False)
        return 1
    speeds: list[Speed] = []
    attempts: dict[Kind, list[Attempt]] = {}
    for kind in kinds:
        if attacks:
            with doing(f"attacking {kind}"), make_sandbox(kind, ATTACKED, workers=1) as room:
                attempts[kind] = list(attempt_all(room, read_attacks()))
            continue
        for workers in sorted({1, usable_cpus()}):
            with doing(f"timing {kind}, {workers} at a time"):
                speeds.append(measured(kind, workers, PROGRAMS[kind], repeats))
    if speeds:
        console.print(speed_table(speeds))
    if attempts:
        console.print(attack_table(attempts))
        for kind, made in attempts.items():
            for one in made:
                if one.breach:
                    line = f"{kind}: {one.attack.group}: {one.attack.name}: {one.breach}"
                    console.print(line, highlight=False, markup=False)
    if out is not None:
        plain = {
            "speeds": [asdict(speed) for speed in speeds],
            "attacks": {kind: [_plain(one) for one in made] for kind, made in attempts.items()},
            "versions": library_versions(),
        }
        text = json.dumps(plain, indent=2) + "\n"
        write_whole(out, methodcaller("write", text.encode()))
    return int(any(one.breach for made in attempts.values() for one in made))


def speed_table(speeds: Sequence[Speed]) -> Table:
    """Programs a second, for a reader."""
    table = Table(
        "kind", "at a time", "a second", "a second of a processor", "right",
        title="Programs verified, each by itself: median over repeats, least to most",
        title_justify="left",
    )  # fmt: skip
    for one in speeds:
        table.add_row(
            one.kind,
            str(one.workers),
            _spread(one.rates),
            _spread(one.processor_rates),
            f"{one.right:,} of {one.programs * len(one.rates):,}",
        )
    return table


def attack_table(attempts: Mapping[Kind, Sequence[Attempt]]) -> Table:
    """How many attacks of each group there were, and how many were contained, by kind."""
    table = Table(
        "attacks", "tried", *(f"{kind} contained" for kind in attempts),
        title="Attacks, each followed by a program that must find the worker as it was",
        title_justify="left",
    )  # fmt: skip
    made = next(iter(attempts.values()))
    for group in (*dict.fromkeys(one.attack.group for one in made), "all"):
        chosen = {
            kind: [one for one in ones if group in (one.attack.group, "all")]
            for kind, ones in attempts.items()
        }
        contained = (str(sum(not one.breach for one in ones)) for ones in chosen.values())
        table.add_row(group, str(len(next(iter(chosen.values())))), *contained)
    return table


def _plain(one: Attempt) -> dict[str, str]:
    said = {"group": one.attack.group, "name": one.attack.name, "status": one.status}
    return said | {"breach": one.breach}


def _spread(values: Sequence[float]) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"
