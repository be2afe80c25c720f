"""`mgptn bench run --against`: when a run has what, beside another installation's, in turn."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mgptn.agents.hosts.fleet import FleetError
from mgptn.experiments.record.reading import JournalError, read_journal
from mgptn.experiments.record.rounds import JOURNAL

INTERVAL = 0.02
"""Seconds between looks at the journal."""

OURS = (sys.executable, "-m", "mgptn.experiments")

SHOWN = {
    "first": "to the first committed generation",
    "rest": "from there to the last",
    "end": "from there to the end: tables, report, Ray's end",
    "whole": "whole command",
}


@dataclass(frozen=True, slots=True)
class Seconds:
    """Of one run, wall time: until its first generation is committed, from there until its last,
    from there to the end, and altogether."""

    first: float
    rest: float
    end: float
    whole: float


def beside(
    console: Console, config: Path, overrides: Sequence[str], against: str, repeats: int
) -> None:
    """Run a configuration in turn by this installation and by another, and print both.

    Parameters
    ----------
    against
        The other's command, as a shell reads it: ``/elsewhere/.venv/bin/mgptn``.

    Raises
    ------
    FleetError
        If a run fails.
    """
    ways = {"ours": OURS, "against": tuple(shlex.split(against))}
    found: dict[str, list[Seconds]] = {name: [] for name in ways}
    for repeat in range(repeats):
        for name, command in ways.items():
            found[name].append(timed(command, config, overrides))
            said = ", ".join(f"{k} {v:.1f}" for k, v in asdict(found[name][-1]).items())
            console.print(f"{repeat + 1} of {repeats}, {name}: {said}", highlight=False)
    console.print(table_of(found, against))


def timed(command: Sequence[str], config: Path, overrides: Sequence[str]) -> Seconds:
    """One run, its folder thrown away."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        whole = [*command, "run", str(config), "--out", str(folder)]
        whole += [word for override in overrides for word in ("--set", override)]
        began = time.perf_counter()
        run = subprocess.Popen(
            whole, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        with run:
            commits = _commits(run, folder / JOURNAL, began)
            assert run.stderr is not None
            said = run.stderr.read()
        ended = time.perf_counter() - began
        if run.returncode or not commits:
            raise FleetError(f"{shlex.join(whole)}: expected it to run, got: {said.strip()[-500:]}")
    first, final = commits[0], commits[-1]
    return Seconds(first, final - first, ended - final, ended)


def _commits(run: subprocess.Popen[str], path: Path, began: float) -> list[float]:
    """When records came that are rounds, as far as they are told apart by looking in between."""
    seen: list[float] = []
    size = 0
    while run.poll() is None:
        time.sleep(INTERVAL)
        if not path.exists() or path.stat().st_size == size:
            continue
        size = path.stat().st_size
        try:
            records = read_journal(path).records
        except JournalError:  # as it is begun
            continue
        rounds = sum(record.get("kind") == "generation" for record in records)
        seen += [time.perf_counter() - began] * (rounds - len(seen))
    return seen


def table_of(found: dict[str, list[Seconds]], against: str) -> Table:
    """Medians of both, and the ratio run by run with its spread."""
    table = Table(
        "wall time, seconds", "ours", "against", "against / ours", "spread",
        caption=escape(f"against: {against}"),
    )  # fmt: skip
    for name in (field.name for field in fields(Seconds)):
        ours, theirs = ([getattr(one, name) for one in runs] for runs in found.values())
        ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
        table.add_row(
            SHOWN[name],
            *(f"{statistics.median(values):.1f}" for values in (ours, theirs)),
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
        )
    return table
