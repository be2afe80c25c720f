"""Births carried out: who is born of whom, with which genome, in whose place.

Dimensions: M agents, B births; N = M + B lives, those who live at first by slot, then children.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mgptn.population.breeding.mutation import STREAMS, MutationRates, mutate, unmutated
from mgptn.population.breeding.processes import Births, draw_other_parent
from mgptn.population.breeding.recombination import merged_weights, one_point
from mgptn.population.draws.streams import first_uniforms, keyed_generator, philox_keys, stream
from mgptn.population.records.agents import AgentId, Genome
from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.offspring import Offspring
from mgptn.population.records.population import NOBODY, Population

_Key = tuple[int, int]
"""Of a stream of random numbers."""


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a child has of its parents.

    Attributes
    ----------
    mutation
        Probabilities of mutations.
    context_capacity
        Examples that a context holds.
    deme_size
        Agents that mate with each other: so many slots side by side.
    recombination, merging
        Probability that a child's newer examples are a second parent's; and that a share
        `merging_share` of its weights is.
    """

    mutation: MutationRates = field(default_factory=MutationRates)
    context_capacity: int = 0
    deme_size: int = 1
    recombination: float = 0.0
    merging: float = 0.0
    merging_share: float = 0.5


@dataclass(frozen=True, slots=True)
class Born:
    """What births have led to: the survivors in slot order, and all births and deaths in theirs.

    `ancestors`, int64 [M]: the slot, before, of each survivor itself or of whom it descends from.
    """

    survivors: Population
    births: Offspring
    deaths: tuple[AgentId, ...]
    ancestors: Integers


class Breeding:
    """The births of one generation; all randomness is keyed by its number, purpose and birth."""

    def __init__(self, rules: Inheritance, seed: int, generation: int) -> None:
        self._rules = rules
        self._seed = seed
        self._generation = generation

    def carry_out(
        self,
        living: Population,
        grown: Callable[[int], Genome],
        drawn: Births,
        rates: Floats,
        first_id: int,
    ) -> Born:
        """Carry births out in order.

        Parameters
        ----------
        living
            Who lives at first.
        grown
            From a slot to the genome that its agent has by now: asked once of each that survives,
            or has something to pass on.
        rates
            float64 [M], by which mates are drawn.
        first_id
            The first child's.
        """
        lives = _Lives(len(living), grown)
        here = list(range(len(living)))
        # Of all at once, parents are who lived at first; in turn, who lives by then.
        parents = here.copy() if drawn.all_at_once else here
        worth = rates.copy()
        mutants = self._mutants(len(drawn.ancestry))
        mixing = self._rules.recombination or self._rules.merging
        others: list[int] = []
        dead: list[int] = []
        kinds: dict[tuple[str, ...], int] = {(): 0}
        mutations: list[int] = []
        for event, (parent_slot, child_slot) in enumerate(drawn.ancestry):
            parent, genome, other, kind = parents[parent_slot], None, NOBODY, 0
            if mixing:
                dying = set() if drawn.all_at_once else {child_slot}
                genome, other = self._mixed(lives, parents, worth, parent_slot, dying, event)
            if event in mutants:
                genome, names = self._mutated(genome or lives.genome(parent), mutants[event])
                kind = kinds.setdefault(names, len(kinds))
            dead.append(here[child_slot])
            here[child_slot] = lives.begin(parent, genome)
            others.append(other)
            mutations.append(kind)
            if mixing and not drawn.all_at_once:
                worth[child_slot] = worth[parent_slot]
        ids = np.append(living.ids, np.arange(first_id, first_id + len(dead)))
        births = Offspring(
            ids[len(living) :], ids[_whole(lives.parents)],
            np.append(ids, NOBODY)[_whole(others)], tuple(kinds), _whole(mutations),
        )  # fmt: skip
        deaths = tuple(map(AgentId, ids[_whole(dead)].tolist()))
        survivors = lives.survivors(living, ids, _whole(here), self._generation)
        return Born(survivors, births, deaths, _whole(lives.slots)[here])

    def _mutants(self, births: int) -> dict[int, list[tuple[str, _Key]]]:
        """The births at which mutations happen, each with the streams that these draw from."""
        rates = self._rules.mutation
        found: dict[int, list[tuple[str, _Key]]] = {}
        for purpose, names in STREAMS.items():
            if not any(getattr(rates, name) for name in names):
                continue
            keys = philox_keys(self._seed, purpose, self._generation, count=births)
            events = np.flatnonzero(~unmutated(rates, purpose, first_uniforms(keys)))
            for event, (first, second) in zip(events.tolist(), keys[events].tolist(), strict=True):
                found.setdefault(event, []).append((purpose, (first, second)))
        return found

    def _mutated(
        self, genome: Genome, streams: list[tuple[str, _Key]]
    ) -> tuple[Genome, tuple[str, ...]]:
        """A child's genome, and the names of its mutations."""
        rules = self._rules
        mutations: tuple[str, ...] = ()
        for purpose, key in streams:
            rng = keyed_generator(key)
            genome, names = mutate(genome, rules.mutation, rules.context_capacity, rng, purpose)
            mutations += names
        return genome, mutations

    def _mixed(
        self,
        lives: _Lives,
        parents: list[int],
        worth: Floats,
        first: int,
        dying: set[int],
        event: int,
    ) -> tuple[Genome, int]:
        """A child's genome before mutation, and its second parent's life; `NOBODY` without one."""
        rules, genome, mate = self._rules, lives.genome(parents[first]), NOBODY
        for purpose, chance in (("recombination", rules.recombination), ("merging", rules.merging)):
            if not chance:
                continue
            rng = stream(self._seed, purpose, self._generation, event)
            if rng.random() >= chance:
                continue
            if mate == NOBODY:
                mate = self._mate(parents, worth, first, dying, rng)
            if mate == NOBODY:
                continue
            if purpose == "recombination":
                genome = one_point(genome, lives.genome(mate), rules.context_capacity, rng)
            else:
                genome = merged_weights(genome, lives.genome(mate), rules.merging_share)
        return genome, mate

    def _mate(
        self,
        parents: list[int],
        worth: Floats,
        first: int,
        dying: set[int],
        rng: np.random.Generator,
    ) -> int:
        """A second parent, drawn by rate from the first one's deme; `NOBODY` if there is none."""
        size = self._rules.deme_size
        start = first - first % size
        outside = (*range(start), *range(start + size, len(parents)))
        second = draw_other_parent(worth, {*outside, *dying, first}, rng)
        return NOBODY if second is None else parents[second]


class _Lives:
    """Lives of one generation, each by its number, and the genomes of those who are looked at.

    Attributes
    ----------
    parents
        Of each child.
    slots
        Of each life: where it lived at first, or the one did that it descends from.
    """

    def __init__(self, size: int, grown: Callable[[int], Genome]) -> None:
        self.parents: list[int] = []
        self.slots = list(range(size))
        self._like = list(range(size))  # whose genome each has
        self._grown = grown
        self._known: dict[int, Genome] = {}

    def begin(self, parent: int, genome: Genome | None) -> int:
        """A child's life; without a genome of its own it has its parent's."""
        life = len(self.slots)
        self.parents.append(parent)
        self.slots.append(self.slots[parent])
        self._like.append(self._like[parent] if genome is None else life)
        if genome is not None:
            self._known[life] = genome
        return life

    def genome(self, life: int) -> Genome:
        """Of one life."""
        like = self._like[life]
        found = self._known.get(like)
        if found is None:
            found = self._known[like] = self._grown(like)
        return found

    def survivors(
        self, living: Population, ids: Integers, here: Integers, generation: int
    ) -> Population:
        """Who lives in each slot in the end.

        Parameters
        ----------
        living
            Who lived at first.
        ids
            int64 [N], of each life.
        here
            int64 [M], the life in each slot.
        """
        size = len(living)
        parents = np.append(living.parents, ids[_whole(self.parents)])[here]
        born = np.where(here < size, living.born[np.minimum(here, size - 1)], generation)
        likes, places = np.unique(_whole(self._like)[here], return_inverse=True)
        genomes = tuple(map(self.genome, likes.tolist()))
        founders = living.founders[_whole(self.slots)[here]]
        return Population(ids[here], parents, founders, born, genomes, places)


def _whole(numbers: list[int]) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)
