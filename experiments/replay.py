"""Replay: every decision of a run derived again from its journal, without a model."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.arms import SELECTED, found_tournament
from experiments.config import RunConfig
from experiments.journal import Damage, read_journal
from experiments.manifest import read_manifest
from experiments.session import JOURNAL, joint_hash, rounds_of
from population.arrays import Floats
from population.columns import differing
from population.generation import Generation

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
    """

    generations: int
    arms: tuple[str, ...]
    differences: tuple[str, ...]
    population_hash: str
    recorded_hash: str | None
    damage: Damage | None

    @property
    def confirmed(self) -> bool:
        """Did everything come out as recorded?"""
        same = self.recorded_hash in (None, self.population_hash)
        return same and not self.differences and self.damage is None


def replay(folder: Path) -> Replay:
    """Tell new tournaments the recorded outcomes, and compare what they decide.

    Raises
    ------
    experiments.config.ConfigError, experiments.journal.JournalError
        If the folder holds no run.
    """
    manifest, config = read_manifest(folder)
    contents = read_journal(folder / JOURNAL)
    tournaments = {arm: found_tournament(config, arm) for arm in manifest["arms"]}
    differences: list[str] = []
    again: list[str] = []
    rounds = 0
    for committed in rounds_of(contents.records):
        rounds += 1
        for c in committed:
            derived = tournaments[c.arm].tell(c.generation.outcomes)
            differences += [
                f"generation {derived.index}, arm {c.arm}: {name} differ from the recorded ones"
                for name in _differing(derived, c.generation)
            ]
            if c.arm == SELECTED:
                again.append(derived.digest)
    recorded = next((r["population_hash"] for r in contents.records if r["kind"] == "end"), None)
    return Replay(
        rounds,
        tuple(manifest["arms"]),
        tuple(differences),
        joint_hash(again),
        recorded,
        contents.damage,
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
    experiments.config.ConfigError, experiments.journal.JournalError
        If the folder holds no run, or the temperature is not > 0.
    """
    _, config = read_manifest(folder)
    config = _with_temperature(config, selection_temperature)
    tournament = found_tournament(config, SELECTED)
    recorded = [
        c.generation
        for committed in rounds_of(read_journal(folder / JOURNAL).records)
        for c in committed
        if c.arm == SELECTED
    ]
    generations: list[Generation] = []
    strangers = 0
    for generation in recorded:
        strangers = sum(
            mine.id != theirs.id or mine.genome != theirs.genome
            for mine, theirs in zip(tournament.agents, generation.agents, strict=True)
        )
        if strangers:
            break
        generations.append(tournament.tell(generation.outcomes))
    reached = tuple(generations)
    return Reselection(reached, tuple(recorded[: len(reached)]), len(recorded), strangers)


def _with_temperature(config: RunConfig, selection_temperature: float) -> RunConfig:
    from experiments.config import check_config

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
