"""What if selection had been another? A run's recorded answers, selected again."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config, override
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.telling import told_again
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.rounds import Round, read_rounds
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcomes, only
from mgptn.population.records.population import Population

KEYS = (
    "population.selection.temperature",
    "population.selection.operator",
    "population.selection.process",
    "population.selection.resampling",
    "population.selection.dissent",
    "population.selection.protection",
    "protocol.threshold",
    "protocol.accept",
    "protocol.accept.share",
    "protocol.aggregation",
    "protocol.aggregation.name",
    "protocol.aggregation.trim",
    "protocol.aggregation.least",
    "protocol.fitness",
    "selector",
)
"""What selection alone reads: answers and grades of a generation would have been the same."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How selection is to be other than it was.

    Attributes
    ----------
    settings
        ``key=value`` each, of `KEYS`, as overrides of a configuration are.
    without
        Slots of agents whose grades do not count.

    Raises
    ------
    ConfigError
        If a key is none of `KEYS`.
    """

    settings: tuple[str, ...] = ()
    without: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for change in self.settings:
            key = change.partition("=")[0]
            if key not in KEYS:
                raise ConfigError(
                    f"{key}: expected what selection alone reads ({', '.join(KEYS)}), for no "
                    "record says what would have been answered otherwise"
                )


@dataclass(frozen=True, slots=True)
class Reselection:
    """A run's recorded answers under another selection.

    Attributes
    ----------
    generations
        Each generation as it comes out; the last one's births lead to agents that never answered,
        unless the records reach all of the run.
    recorded
        The same generations as they were.
    strangers
        Of the population after the last one, agents whose genome is not the recorded one's.
    """

    generations: tuple[Generation, ...]
    recorded: tuple[Generation, ...]
    strangers: int


def reselect(folder: Path, changes: Changes) -> tuple[Reselection, int]:
    """Select again from the first generation, as far as the recorded answers are the agents' own.

    Other births make other agents, whose answers nobody recorded: there the records end.

    Returns
    -------
    tuple
        What came out, and the number of generations in the journal.

    Raises
    ------
    ConfigError, ManifestError, JournalError
        If the folder holds no run, or a change cannot be.
    ContradictionError
        If outcomes are recorded that are not of the matches that were drawn.
    """
    _, config = recorded(folder)
    count = 0

    def rounds() -> Iterable[Round]:
        nonlocal count
        for done in read_rounds(folder):
            count += 1
            yield done

    everything = iter(rounds())
    found = reselected(config, everything, changes)
    for _ in everything:
        pass
    return found, count


def reselected(config: RunConfig, rounds: Iterable[Round], changes: Changes) -> Reselection:
    """As `reselect`, of rounds in order; none is asked for beyond where the records end.

    Raises
    ------
    ConfigError
        If a change cannot be, or names an agent that there is not.
    ContradictionError
        As of `reselect`.
    """
    config = changed(config, changes.settings)
    unknown = sorted(slot for slot in changes.without if not 0 <= slot < config.population.size)
    if unknown:
        raise ConfigError(
            f"without: expected slots 0 to {config.population.size - 1}, got {unknown[0]}"
        )
    tournament = found_tournament(config, SELECTED)
    again: list[Generation] = []
    as_run: list[Generation] = []
    for done in rounds:
        one = done.of(SELECTED)
        if one is None:
            raise ConfigError(f"arm: expected {SELECTED} in generation {done.index}, got none")
        strangers = _strangers(tournament.agents, one.generation.agents)
        if strangers:
            return Reselection(tuple(again), tuple(as_run), strangers)
        again.append(told_again(tournament, _without(one, changes.without)))
        as_run.append(one.generation)
    return Reselection(tuple(again), tuple(as_run), 0)


def changed(config: RunConfig, settings: Sequence[str]) -> RunConfig:
    """A configuration with some keys set otherwise, checked whole.

    Raises
    ------
    ConfigError
        Naming the key that cannot be as it is set.
    """
    plain = config.model_dump()
    for change in settings:
        override(plain, change)
    return check_config(plain, source="what if")


def effective_parents(rates: Floats) -> float:
    """(Σw)²/Σw²: how many equal parents these rates are worth (Kish 1965)."""
    return float(rates.sum() ** 2 / (rates**2).sum())


def lineages_left(generation: Generation) -> int:
    """Founders with descendants among the survivors."""
    return len(np.unique(generation.survivors.founders))


def describe_reselection(folder: Path, changes: Changes) -> list[str]:
    """How the recorded answers are selected otherwise, and how far they reach."""
    found, total = reselect(folder, changes)
    told = list(changes.settings)
    if changes.without:
        told.append(f"no grades by slots {', '.join(map(str, sorted(changes.without)))}")
    lines = [f"{folder}: {'; '.join(told)} instead of the recorded"]
    for again, as_run in zip(found.generations, found.recorded, strict=True):
        lines.append(
            f"  generation {again.index}: largest replication rate {max(again.rates):.3f} "
            f"(recorded {max(as_run.rates):.3f}), rates worth "
            f"{effective_parents(again.rates):.2f} of {len(again.rates)} parents "
            f"(recorded {effective_parents(as_run.rates):.2f}), "
            f"{lineages_left(again)} lineages left (recorded {lineages_left(as_run)})"
        )
    if found.strangers:
        reached = len(found.generations)
        lines.append(
            f"The records reach {reached} of {total} generations: in generation {reached}, "
            f"{found.strangers} of {len(found.recorded[-1].agents)} agents are not those that "
            "answered, so what they would have said is not known. Run anew to go further."
        )
    else:
        lines.append(f"The records reach all {total} generations: every birth is the same.")
    return lines


def _strangers(mine: Population, theirs: Population) -> int:
    """How many of them have another id, or another genome."""
    genomes = (mine.digests() != theirs.digests()).any(axis=1)
    return int(np.sum((mine.ids != theirs.ids) | genomes))


def _without(one: Committed, slots: frozenset[int]) -> Committed:
    """An arm's generation in which some agents' grades could not be read."""
    if not slots:
        return one
    outcomes = one.generation.outcomes
    graders = outcomes.matches.graders[:, : outcomes.grades.shape[1]]
    kept = ~np.isin(graders, sorted(slots))
    silenced: Outcomes = replace(outcomes, grades=only(kept, outcomes.grades))
    return replace(one, generation=replace(one.generation, outcomes=silenced))
