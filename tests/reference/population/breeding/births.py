"""Births carried out plainly: an object for every agent, every one of them taught."""

# SPDX-License-Identifier: Apache-2.0

from mgptn.population.breeding.mutation import STREAMS, mutate
from mgptn.population.breeding.processes import draw_other_parent
from mgptn.population.breeding.recombination import merged_weights, one_point
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Agent, AgentId, Birth


def carry_out(rules, seed, generation, living, drawn, rates, first_id):
    """Survivors, births and deaths, as of `Breeding.carry_out`, of agents that have grown."""
    living, worth = list(living), list(rates)
    parents = list(living) if drawn.all_at_once else living
    births, deaths = [], []
    for event, (parent_slot, child_slot) in enumerate(drawn.ancestry):
        parent = parents[parent_slot]
        genome, mate, mutations = parent.genome, None, ()
        for purpose in ("recombination", "merging"):
            rng = stream(seed, purpose, generation, event)
            if rng.random() >= getattr(rules, purpose):
                continue
            if mate is None:
                start = parent_slot - parent_slot % rules.deme_size
                deme = range(start, start + rules.deme_size)
                excluded = {slot for slot in range(len(living)) if slot not in deme}
                excluded |= {parent_slot} | (set() if drawn.all_at_once else {child_slot})
                slot = draw_other_parent(worth, excluded, rng)
                mate = None if slot is None else parents[slot]
            if mate is None:
                continue
            if purpose == "recombination":
                genome = one_point(genome, mate.genome, rules.context_capacity, rng)
            else:
                genome = merged_weights(genome, mate.genome, rules.merging_share)
        for purpose in STREAMS:
            rng = stream(seed, purpose, generation, event)
            genome, names = mutate(genome, rules.mutation, rules.context_capacity, rng, purpose)
            mutations += names
        child = Agent(AgentId(first_id + event), genome, parent.id, parent.founder, generation)
        births.append(Birth(child.id, parent.id, mutations, mate and mate.id))
        deaths.append(living[child_slot].id)
        living[child_slot] = child
        if not drawn.all_at_once:
            worth[child_slot] = worth[parent_slot]
    return tuple(living), tuple(births), tuple(deaths)
