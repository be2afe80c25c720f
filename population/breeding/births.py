"""Births carried out: who is born of whom, with which genome, in whose place."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mgptn.population.breeding.mutation import STREAMS, MutationRates, mutate, unmutated
from mgptn.population.breeding.processes import Births, draw_other_parent
from mgptn.population.breeding.recombination import merged_weights, one_point
from mgptn.population.draws.streams import first_uniforms, stream
from mgptn.population.records.agents import Agent, AgentId, Birth, Genome
from mgptn.population.records.arrays import Floats

_NONE: tuple[str, ...] = ()
"""No mutations."""


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
    """What births have led to: the survivors in slot order, and all births and deaths in theirs."""

    survivors: tuple[Agent, ...]
    births: tuple[Birth, ...]
    deaths: tuple[AgentId, ...]


class Breeding:
    """The births of one generation; all randomness is keyed by its number, purpose and birth."""

    def __init__(self, rules: Inheritance, seed: int, generation: int) -> None:
        self._rules = rules
        self._seed = seed
        self._generation = generation

    def carry_out(self, living: list[Agent], drawn: Births, rates: Floats, first_id: int) -> Born:
        """Carry births out in order.

        Parameters
        ----------
        living
            In slot order; children take places in it.
        rates
            float64 [M], by which mates are drawn.
        first_id
            The first child's.
        """
        # Of all at once, parents are who lived at first; in turn, who lives by then.
        parents = list(living) if drawn.all_at_once else living
        worth = rates.copy()
        births: list[Birth] = []
        deaths: list[AgentId] = []
        mutants = self._mutants(len(drawn.ancestry))
        mixing = self._rules.recombination or self._rules.merging
        for event, (parent_slot, child_slot) in enumerate(drawn.ancestry):
            parent = parents[parent_slot]
            genome, other, mutations = parent.genome, None, _NONE
            if mixing:
                dying = set() if drawn.all_at_once else {child_slot}
                genome, other = self._mixed(parents, worth, parent_slot, dying, event)
            if event in mutants:
                genome, mutations = self._mutated(genome, mutants[event], event)
            child = Agent(
                id=AgentId(first_id + event),
                genome=genome,
                parent=parent.id,
                founder=parent.founder,
                born=self._generation,
            )
            deaths.append(living[child_slot].id)
            living[child_slot] = child
            if not drawn.all_at_once:
                worth[child_slot] = worth[parent_slot]
            births.append(Birth(child.id, parent.id, mutations, other))
        return Born(tuple(living), tuple(births), tuple(deaths))

    def _mutants(self, births: int) -> dict[int, list[str]]:
        """The births at which mutations happen, each with the streams that these draw from."""
        rates = self._rules.mutation
        found: dict[int, list[str]] = {}
        for purpose, names in STREAMS.items():
            if not any(getattr(rates, name) for name in names):
                continue
            draws = first_uniforms(self._seed, purpose, self._generation, count=births)
            for event in np.flatnonzero(~unmutated(rates, purpose, draws)).tolist():
                found.setdefault(event, []).append(purpose)
        return found

    def _mutated(
        self, genome: Genome, purposes: list[str], event: int
    ) -> tuple[Genome, tuple[str, ...]]:
        """A child's genome, and the names of its mutations."""
        rules = self._rules
        mutations: tuple[str, ...] = ()
        for purpose in purposes:
            rng = stream(self._seed, purpose, self._generation, event)
            genome, names = mutate(genome, rules.mutation, rules.context_capacity, rng, purpose)
            mutations += names
        return genome, mutations

    def _mixed(
        self, parents: list[Agent], worth: Floats, first: int, dying: set[int], event: int
    ) -> tuple[Genome, AgentId | None]:
        """A child's genome before mutation, and its second parent if it has one."""
        rules, genome, mate = self._rules, parents[first].genome, None
        for purpose, chance in (("recombination", rules.recombination), ("merging", rules.merging)):
            if not chance:
                continue
            rng = stream(self._seed, purpose, self._generation, event)
            if rng.random() >= chance:
                continue
            mate = mate or self._mate(parents, worth, first, dying, rng)
            if mate is None:
                continue
            if purpose == "recombination":
                genome = one_point(genome, mate.genome, rules.context_capacity, rng)
            else:
                genome = merged_weights(genome, mate.genome, rules.merging_share)
        return genome, None if mate is None else mate.id

    def _mate(
        self,
        parents: list[Agent],
        worth: Floats,
        first: int,
        dying: set[int],
        rng: np.random.Generator,
    ) -> Agent | None:
        """A second parent, drawn by rate from the first one's deme; None where there is none."""
        size = self._rules.deme_size
        start = first - first % size
        outside = (*range(start), *range(start + size, len(parents)))
        second = draw_other_parent(worth, {*outside, *dying, first}, rng)
        return None if second is None else parents[second]
