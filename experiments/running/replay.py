"""Replay: every decision of a run derived again from its journal, without a model."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.record.reading import Damage
from mgptn.experiments.record.rounds import joint_hash
from mgptn.experiments.running.lanes import replay_in_lanes


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found.

    Attributes
    ----------
    generations
        Rounds replayed.
    arms
        Names of the arms replayed.
    differences
        A line for each decision that came out otherwise than recorded; none in a sound run.
    population_hash
        Derived again.
    recorded_hash
        As the run ended with; None for a run that has not ended.
    damage
        Where the journal stops being intact, if it does.
    bound
        Does the journal vouch for what the manifest says?
    """

    generations: int
    arms: tuple[str, ...]
    differences: tuple[str, ...]
    population_hash: str
    recorded_hash: str | None
    damage: Damage | None
    bound: bool

    @property
    def confirmed(self) -> bool:
        """Is there a generation, and did everything come out as recorded?"""
        same = self.recorded_hash in (None, self.population_hash)
        return self.generations > 0 and same and not self.differences and self.damage is None


def replay(folder: Path) -> Replay:
    """Tell new tournaments the recorded outcomes, and compare what they decide.

    Raises
    ------
    ConfigError, ManifestError, JournalError
        If the folder holds no run.
    """
    manifest, config = recorded(folder)
    arms = tuple(manifest["arms"])
    parts = replay_in_lanes(folder, config, arms)
    first, planned = parts[0], config.population.generations
    differences = [line for _, _, line in sorted(d for part in parts for d in part.differences)]
    if first.rounds > planned or (first.recorded_hash is not None and first.rounds < planned):
        differences.append(
            f"expected {planned} generations, got {first.rounds} in a run that has ended"
        )
    return Replay(
        first.rounds,
        arms,
        tuple(differences),
        joint_hash([digest for part in parts for digest in part.digests]),
        first.recorded_hash,
        first.damage,
        first.bound,
    )


UNBOUND = (
    "the manifest is not bound to this journal, which an earlier version began: what it says of "
    "weights, versions and device is not confirmed"
)

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
    if not found.generations:
        lines.append("  no generation is committed, so there is nothing to confirm")
    if not found.bound:
        lines.append(f"  {UNBOUND}")
    if found.recorded_hash is None:
        lines.append(f"  the run has not ended; carry it on with: mgptn resume {folder}")
    elif found.recorded_hash != found.population_hash:
        lines.append(f"  the run ended with population hash {found.recorded_hash}")
    lines.append("confirmed" if found.confirmed else "NOT confirmed")
    lines.append(f"population hash: {found.population_hash}")
    return lines, found.confirmed
