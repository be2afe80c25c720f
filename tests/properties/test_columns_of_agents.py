"""Agents, genomes and births as columns say what their objects do, and are made of few objects."""

# SPDX-License-Identifier: Apache-2.0

import sys
import threading
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.experiments.record.fields import Fields
from mgptn.experiments.record.packed_agents import pack_populations, unpack_populations
from mgptn.population.breeding.births import Breeding, Inheritance
from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.breeding.processes import PROCESSES, Births, ProcessOptions
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Agent, AgentId, Birth, Example, Genome
from mgptn.population.records.genomes import Genomes
from mgptn.population.records.offspring import Offspring
from mgptn.population.records.population import Population
from mgptn.population.records.weights import learned, noised
from tests.reference.population.breeding import births as plain

pure = settings(deadline=None, max_examples=60)
examples = st.builds(
    Example,
    st.sampled_from(["", "1", "level 1"]),
    st.sampled_from("xy"),
    st.sampled_from([None, 1]),
)
weighed = [None, learned(None, "m", "aa"), noised(None, "m", (1, 2), 0.5)]
genomes = st.builds(
    Genome,
    st.sampled_from(["m", "n"]),
    st.sampled_from([0.5, 1.0]),
    st.lists(examples, max_size=3).map(tuple),
    st.sampled_from([None, "m"]),
    st.sampled_from(["ordinary", "saboteur"]),
    st.sampled_from(weighed),
)
ids = st.integers(0, 3).map(AgentId)
agents = st.builds(Agent, ids, genomes, st.none() | ids, ids, st.integers(-1, 2))
several = st.lists(agents, min_size=1, max_size=4).map(tuple)
born = st.builds(
    Birth, ids, ids, st.sampled_from([(), ("drop",), ("drop", "swap")]), st.none() | ids
)


def read(population):
    """As a journal gives it back."""
    return unpack_populations(Fields(pack_populations([population])), 1)[0]


@pure
@given(several)
def test_columns_give_back_what_they_were_made_of(those):
    for population in (Population.of(those), read(Population.of(those))):
        assert tuple(population) == those
        assert population[-1] == those[-1]
        assert population[1:] == those[1:]
        digests = [bytes(row).hex() for row in population.digests()]
        assert digests == [agent.genome.digest() for agent in those]
        assert population.models() == [agent.genome.model for agent in those]
        assert population.roles() == [agent.genome.role for agent in those]


@pure
@given(several, several, st.booleans())
def test_populations_are_equal_just_where_their_agents_are(one, other, share):
    other = tuple(replace(a) for a in one) if share else other
    for mine in (Population.of(one), read(Population.of(one))):
        for theirs in (Population.of(other), read(Population.of(other))):
            assert (mine == theirs) == (one == other)


@pure
@given(st.lists(genomes, min_size=1, max_size=4), st.data())
def test_one_change_of_a_genome_is_seen(those, data):
    place = data.draw(st.integers(0, len(those) - 1))
    field = data.draw(st.sampled_from(["model", "context", "persona", "role", "weights"]))
    value = getattr(data.draw(genomes), field)
    changed = [*those]
    changed[place] = replace(those[place], **{field: value})
    here = np.arange(len(those))
    same = Genomes.of(those).equal(here, Genomes.of(changed), here)
    assert same == (changed == those)


@pure
@given(st.lists(born, max_size=4).map(tuple), st.lists(born, max_size=4).map(tuple), st.booleans())
def test_births_are_equal_just_where_their_rows_are(one, other, share):
    other = tuple(map(replace, one)) if share else other
    assert tuple(Offspring.of(one)) == one
    assert (Offspring.of(one) == Offspring.of(other)) == (one == other)


@pure
@given(
    st.sampled_from(sorted(PROCESSES)),
    st.integers(0, 10**6),
    st.lists(genomes, min_size=4, max_size=4),
    st.lists(st.floats(0.01, 4), min_size=4, max_size=4),
    st.sampled_from([0.0, 0.4]),
    st.sampled_from([0.0, 0.5]),
)
def test_births_are_those_that_are_carried_out_one_by_one(
    process, seed, inherited, rates, mixing, mutating
):
    size = len(inherited)
    rules = Inheritance(
        mutation=MutationRates(*[mutating] * 4, noise=mutating),
        context_capacity=2,
        deme_size=2 if process == "islands" else size,
        recombination=mixing,
        merging=mixing,
    )
    worth = np.array(rates)
    drawn = PROCESSES[process](worth, ProcessOptions(demes=2), stream(seed, "births"))
    living = tuple(
        Agent(AgentId(i), genome, None, AgentId(i), -1) for i, genome in enumerate(inherited)
    )
    lesson = (Example("new", "z"),)
    asked = []

    def grown(slot):
        asked.append(slot)
        return inherited[slot].remember(lesson, 2)

    found = Breeding(rules, seed, 7).carry_out(Population.of(living), grown, drawn, worth, 10)
    taught = [agent.taught(lesson, 2) for agent in living]
    survivors, births, deaths = plain.carry_out(rules, seed, 7, taught, drawn, rates, 10)
    assert tuple(found.survivors) == survivors
    assert (tuple(found.births), found.deaths) == (births, deaths)
    assert [living[slot].founder for slot in found.ancestors] == [a.founder for a in survivors]
    assert len(asked) == len(set(asked))


def test_who_leaves_nothing_is_not_taught():
    living = tuple(Agent(AgentId(i), Genome("m", 1.0), None, AgentId(i), -1) for i in range(3))
    asked = []

    def grown(slot):
        asked.append(slot)
        return living[slot].genome

    drawn = Births([(1, 0), (1, 1), (1, 2)], True)
    found = Breeding(Inheritance(), 0, 0).carry_out(
        Population.of(living), grown, drawn, np.ones(3), 3
    )
    assert asked == [1]
    assert len(found.survivors.genomes) == 1


def test_several_threads_may_ask_for_what_is_found_once():
    """As those of a page do; one that found half of it would be told of genomes that are none."""
    made = [
        Genome("m", 1.0 + i, (Example("q", str(i), None),) * (i % 3), None, "ordinary", None)
        for i in range(300)
    ]
    expected = [bytes.fromhex(genome.digest()) for genome in made]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(5):
            columns, wrong = Genomes.of(made), []

            def ask(columns=columns, wrong=wrong):
                try:
                    found = columns.digests() == expected
                except ValueError:
                    found = False
                if not found:
                    wrong.append(found)

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not wrong
    finally:
        sys.setswitchinterval(before)
