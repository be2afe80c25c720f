"""Replay: every decision of a run derived again from its journal, without a model."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.telling import ContradictionError, told_again
from mgptn.experiments.record.reading import Damage
from mgptn.experiments.record.rounds import RunRecord, joint_hash, read_rounds
from mgptn.population.records.arrays import Floats
from mgptn.population.records.columns import differing
from mgptn.population.records.generation import Generation

TOLERANCE = 1e-9
"""Relative difference in fitness and rates that another processor's rounding may make."""


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
    record = RunRecord(folder)
    tournaments = {arm: found_tournament(config, arm) for arm in manifest["arms"]}
    differences: list[str] = []
    again: list[str] = []
    rounds = 0
    for done in record.intact():
        rounds += 1
        for c in done.committed:
            try:
                derived = told_again(tournaments[c.arm], c)
            except ContradictionError as error:
                differences.append(str(error))
                continue
            differences += [
                f"generation {derived.index}, arm {c.arm}: {name} differ from the recorded ones"
                for name in _differing(derived, c.generation)
            ]
            if c.arm == SELECTED:
                again.append(derived.digest)
    planned = config.population.generations
    if rounds > planned or (record.population_hash is not None and rounds < planned):
        differences.append(f"expected {planned} generations, got {rounds} in a run that has ended")
    return Replay(
        rounds,
        tuple(manifest["arms"]),
        tuple(differences),
        joint_hash(again),
        record.population_hash,
        record.damage,
        record.bound,
    )


@dataclass(frozen=True, slots=True)
class Reselection:
    """A run's recorded answers under another selection temperature.

    Attributes
    ----------
    generations
        Each generation as it comes out; the last one's births lead to agents that never answered.
    recorded
        The same generations as they were.
    total
        Generations in the journal.
    strangers
        Of the population after the last one, agents whose genome is not the recorded one's.
    """

    generations: tuple[Generation, ...]
    recorded: tuple[Generation, ...]
    total: int
    strangers: int


def reselect(folder: Path, selection_temperature: float) -> Reselection:
    """Select again from the first generation, as far as the recorded answers are the agents' own.

    Other births make other agents, whose answers nobody recorded: there the records end.

    Raises
    ------
    ConfigError, ManifestError, JournalError
        If the folder holds no run, or the temperature is not > 0.
    ContradictionError
        If outcomes are recorded that are not of the matches that were drawn.
    """
    _, config = recorded(folder)
    config = _with_temperature(config, selection_temperature)
    tournament = found_tournament(config, SELECTED)
    run = [c for done in read_rounds(folder) for c in done.committed if c.arm == SELECTED]
    as_run = [c.generation for c in run]
    generations: list[Generation] = []
    strangers = 0
    for committed, generation in zip(run, as_run, strict=True):
        strangers = sum(
            mine.id != theirs.id or mine.genome != theirs.genome
            for mine, theirs in zip(tournament.agents, generation.agents, strict=False)
        )
        if strangers:
            break
        generations.append(told_again(tournament, committed))
    reached = tuple(generations)
    return Reselection(reached, tuple(as_run[: len(reached)]), len(as_run), strangers)


def _with_temperature(config: RunConfig, selection_temperature: float) -> RunConfig:
    from mgptn.experiments.config.run_config import check_config

    plain = config.model_dump()
    plain["population"]["selection"]["temperature"] = selection_temperature
    return check_config(plain, source="--selection-temperature")


def _differing(derived: Generation, recorded: Generation) -> list[str]:
    """Names of the fields in which two generations differ, rounding apart."""
    return [
        name
        for name in differing(derived, recorded)
        if name not in ("fitness", "rates")
        or not _close(getattr(derived, name), getattr(recorded, name))
    ]


def _close(ours: Floats, theirs: Floats) -> bool:
    return ours.shape == theirs.shape and np.allclose(
        ours, theirs, rtol=TOLERANCE, atol=0.0, equal_nan=True
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


def describe_reselection(folder: Path, selection_temperature: float) -> list[str]:
    """How the recorded answers are selected under another temperature, and how far they reach."""
    found = reselect(folder, selection_temperature)
    lines = [f"{folder}: selection temperature {selection_temperature:g} instead of the recorded"]
    for again, as_run in zip(found.generations, found.recorded, strict=True):
        lines.append(
            f"  generation {again.index}: largest replication rate {max(again.rates):.3f} "
            f"(recorded {max(as_run.rates):.3f}), rates worth "
            f"{_effective(again.rates):.2f} of {len(again.rates)} parents "
            f"(recorded {_effective(as_run.rates):.2f}), "
            f"{_lineages(again)} lineages left (recorded {_lineages(as_run)})"
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
