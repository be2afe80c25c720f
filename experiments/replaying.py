"""What `mgptn replay` says: lines of text for a replay and for a reselection."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from experiments.replay import replay, reselect
from population.arrays import Floats
from population.generation import Generation

SHOWN = 20
"""Differences that are listed; the rest are counted."""


def describe_replay(folder: Path) -> tuple[list[str], bool]:
    """What a replay found, and whether it confirms the run."""
    found = replay(folder)
    lines = [
        f"{folder}: {found.generations} generations of {len(found.arms)} arms replayed, "
        f"{len(found.differences)} differences"
    ]
    lines += [f"  {difference}" for difference in found.differences[:SHOWN]]
    if len(found.differences) > SHOWN:
        lines.append(f"  … and {len(found.differences) - SHOWN} more")
    if found.damage is not None:
        lines.append(
            f"  the journal is intact up to byte {found.damage.offset} only: {found.damage.reason}"
        )
    if found.recorded_hash is None:
        lines.append(f"  the run has not ended; carry it on with: mgptn resume {folder}")
    elif found.recorded_hash != found.population_hash:
        lines.append(f"  the run ended with population hash {found.recorded_hash}")
    lines.append("confirmed" if found.confirmed else "NOT confirmed")
    lines.append(f"population hash: {found.population_hash}")
    return lines, found.confirmed


def describe_reselection(folder: Path, selection_temperature: float) -> list[str]:
    """How the recorded answers are selected under another temperature, and how far they reach."""
    found = reselect(folder, selection_temperature)
    lines = [f"{folder}: selection temperature {selection_temperature:g} instead of the recorded"]
    for again, recorded in zip(found.generations, found.recorded, strict=True):
        lines.append(
            f"  generation {again.index}: largest replication rate {max(again.rates):.3f} "
            f"(recorded {max(recorded.rates):.3f}), rates worth "
            f"{_effective(again.rates):.2f} of {len(again.rates)} parents "
            f"(recorded {_effective(recorded.rates):.2f}), "
            f"{_lineages(again)} lineages left (recorded {_lineages(recorded)})"
        )
    reached = len(found.generations)
    if found.strangers:
        lines.append(
            f"The records reach {reached} of {found.total} generations: in generation {reached}, "
            f"{found.strangers} of {len(found.recorded[-1].agents)} agents are not those that "
            "answered, so what they would have said is not known. Run anew to go further."
        )
    else:
        lines.append(f"The records reach all {found.total} generations: every birth is the same.")
    return lines


def _effective(rates: Floats) -> float:
    """(Σw)²/Σw²: how many equal parents these rates are worth (Kish 1965)."""
    return float(rates.sum() ** 2 / (rates**2).sum())


def _lineages(generation: Generation) -> int:
    return len({agent.founder for agent in generation.survivors})
