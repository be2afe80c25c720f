"""The processes: from replication rates to births and deaths, by one signature.

Drawing is `wright_fisher`'s, `moran`'s and `islands`' affair, and what a child inherits is the
tournament's.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mgptn.population.breeding.islands import sample_island_parents
from mgptn.population.breeding.moran import sample_death_birth, sample_events
from mgptn.population.breeding.wright_fisher import Resampling, sample_parents
from mgptn.population.records.settled import check_name, check_probabilities


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """What some processes are told beside rates.

    Attributes
    ----------
    resampling
        How ``"wright-fisher"`` draws parents; see `sample_parents`.
    demes, migration
        Of ``"islands"``: demes of equal size, the first of which has the first slots, and the
        probability that a birth is a migrant's.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    resampling: Resampling = "multinomial"
    demes: int = 2
    migration: float = 0.1

    def __post_init__(self) -> None:
        check_name("resampling", self.resampling, get_args(Resampling))
        check_probabilities(self, "migration")


class Births(NamedTuple):
    """Births of one generation; each is the death of whoever stood in the child's slot.

    Attributes
    ----------
    ancestry
        In order, (slot of the parent, slot of the child).
    all_at_once
        Whether slots of parents are those of the generation, or of who lives at that moment.
    """

    ancestry: list[tuple[int, int]]
    all_at_once: bool


Process = Callable[[NDArray[np.float64], ProcessOptions, np.random.Generator], Births]
"""(replication rates float64 [M], mean one, options, rng) -> births."""


def wright_fisher(
    rates: NDArray[np.float64], options: ProcessOptions, rng: np.random.Generator
) -> Births:
    """Everybody dies; each child's parent is drawn by replication rate."""
    parents = sample_parents(rates, rng, options.resampling)
    return Births([(int(parent), slot) for slot, parent in enumerate(parents)], True)


def soft_survival(
    rates: NDArray[np.float64], options: ProcessOptions, rng: np.random.Generator
) -> Births:
    """Each agent survives with probability φ = w/w_max; children, drawn by rate, fill the rest.

    Under the softmax operator φ = exp((f − f_max)/T), so that the fittest always survive, and in
    neutral drift nobody dies. Parents are of the whole generation, the dying among them. Survivors
    and children of an agent together number φ + (M − Σφ)·φ/Σφ = w in the mean, as in the
    Wright–Fisher process, but never with a larger variance.
    """
    survives = rng.random(rates.size) < rates / rates.max()
    parents = sample_parents(rates, rng)
    return Births([(int(parents[slot]), int(slot)) for slot in np.flatnonzero(~survives)], True)


def moran(rates: NDArray[np.float64], options: ProcessOptions, rng: np.random.Generator) -> Births:
    """M events in turn: a parent by rate, its child in the place of one drawn evenly.

    Nobody is judged anew within the generation: a child counts with its parent's rate.
    """
    parents, deaths = sample_events(rates, len(rates), rng)
    return Births([(int(p), int(d)) for p, d in zip(parents, deaths, strict=True)], False)


def death_birth(
    rates: NDArray[np.float64], options: ProcessOptions, rng: np.random.Generator
) -> Births:
    """M events in turn: one drawn evenly dies, and the others compete by rate for its place.

    Nobody is judged anew within the generation: a child counts with its parent's rate.
    """
    parents, deaths = sample_death_birth(rates, len(rates), rng)
    return Births([(int(p), int(d)) for p, d in zip(parents, deaths, strict=True)], False)


def islands(
    rates: NDArray[np.float64], options: ProcessOptions, rng: np.random.Generator
) -> Births:
    """Everybody dies; a child's parent is drawn by rate from its deme, a migrant's from all.

    Rates have mean one in every deme: agents compete within their deme only, and demes send
    migrants by their size.
    """
    size = deme_size("islands", options, rates.size)
    parents = sample_island_parents(rates, [size] * options.demes, options.migration, rng)
    return Births([(int(parent), slot) for slot, parent in enumerate(parents)], True)


def frozen(rates: NDArray[np.float64], options: ProcessOptions, rng: np.random.Generator) -> Births:
    """Nobody is born and nobody dies."""
    return Births([], False)


PROCESSES: dict[str, Process] = {
    "wright-fisher": wright_fisher,
    "soft-survival": soft_survival,
    "moran": moran,
    "death-birth": death_birth,
    "islands": islands,
    "none": frozen,
}
"""Every process by its name in a configuration."""


def deme_size(process: str, options: ProcessOptions, agents: int) -> int:
    """Agents that compete and mate with each other; all of them but for ``"islands"``.

    Raises
    ------
    ValueError
        If demes cannot be of equal size.
    """
    if process != "islands":
        return agents
    if options.demes < 1 or agents % options.demes:
        raise ValueError(
            f"demes: expected a number that divides {agents} agents, got {options.demes}"
        )
    return agents // options.demes


def draw_other_parent(rates: ArrayLike, excluded: set[int], rng: np.random.Generator) -> int | None:
    """A mate, drawn by rate from all slots but some; None where no other has a rate above zero."""
    weights = np.array(rates, dtype=np.float64)
    weights[list(excluded)] = 0.0
    if not weights.any():
        return None
    return int(rng.choice(weights.size, p=weights / weights.sum()))
