"""Records: what a digest sees, and what a genome remembers."""

# SPDX-License-Identifier: Apache-2.0

import dataclasses
import os
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.records.agents import Agent, AgentId, Example, Genome
from mgptn.population.records.population import population_digest

pure = settings(deadline=None, max_examples=100)
examples = st.builds(Example, st.text(max_size=3), st.text(max_size=3))
genomes = st.builds(
    Genome,
    st.sampled_from(["gpt-1", "gpt-2"]),
    st.floats(0.01, 100),
    st.lists(examples, max_size=3).map(tuple),
)

GENOME = Genome("gpt-1", 1.0, (Example("1+1=", "20"), Example("2+2=", "40")))
AGENT = Agent(AgentId(7), GENOME, AgentId(3), AgentId(1), 4)


@pure
@given(genomes, genomes)
def test_genomes_have_equal_digests_just_when_they_are_equal(one, other):
    assert (one.digest() == other.digest()) == (one == other)
    assert one.digest() == replace(one).digest()


@pytest.mark.parametrize(
    "other",
    [
        replace(GENOME, model="gpt-2"),
        replace(GENOME, sampling_temperature=1.0000000000000002),
        replace(GENOME, context=GENOME.context[::-1]),
        replace(GENOME, context=GENOME.context[:1]),
        replace(GENOME, context=()),
        replace(GENOME, context=(*GENOME.context, GENOME.context[0])),
        replace(GENOME, context=(Example("1+1=2", "0"), GENOME.context[1])),
        replace(GENOME, context=(Example("20", "1+1="), GENOME.context[1])),
        replace(GENOME, context=(Example("1+1=", "20 "), GENOME.context[1])),
        Genome("gpt-11+1=", 1.0, (Example("", "20"), Example("2+2=", "40"))),
    ],
)
def test_any_change_of_a_genome_changes_its_digest(other):
    assert other.digest() != GENOME.digest()


def test_a_digest_is_the_same_in_another_process():
    script = (
        "from mgptn.population.records.agents import *\n"
        "from mgptn.population.records.population import population_digest\n"
        "g = Genome('gpt-1', 1.0, (Example('1+1=', '20'), Example('2+2=', '40')))\n"
        "a = Agent(AgentId(7), g, AgentId(3), AgentId(1), 4)\n"
        "print(g.digest(), population_digest((a,), 5))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [GENOME.digest(), population_digest((AGENT,), 5)]


@pytest.mark.parametrize(
    "other",
    [
        (replace(AGENT, id=AgentId(8)),),
        (replace(AGENT, parent=AgentId(4)),),
        (replace(AGENT, parent=None),),
        (replace(AGENT, founder=AgentId(0)),),
        (replace(AGENT, born=5),),
        (replace(AGENT, genome=replace(GENOME, model="gpt-2")),),
        (AGENT, AGENT),
        (),
    ],
)
def test_a_population_digest_sees_who_is_alive(other):
    assert population_digest(other, 5) != population_digest((AGENT,), 5)


def test_a_population_digest_sees_the_generation_and_the_order():
    second = replace(AGENT, id=AgentId(9))
    assert population_digest((AGENT, second), 5) != population_digest((second, AGENT), 5)
    assert population_digest((AGENT,), 5) != population_digest((AGENT,), 6)
    assert population_digest((AGENT,), 5) == population_digest((replace(AGENT),), 5)


@pure
@given(genomes, st.lists(examples, max_size=5).map(tuple), st.integers(0, 6))
def test_a_genome_remembers_the_newest_examples_up_to_capacity(genome, lessons, capacity):
    taught = genome.remember(lessons, capacity)
    if lessons:
        everything = [*genome.context, *lessons]
        assert taught.context == tuple(everything[max(0, len(everything) - capacity) :])
    else:
        assert taught == genome
    assert replace(taught, context=()) == replace(genome, context=())


def test_a_genome_without_capacity_remembers_nothing():
    assert Genome("gpt-1", 1.0).remember((Example("1+1=", "20"),), 0).context == ()


@pytest.mark.parametrize("record", [GENOME, AGENT, Example("a", "b")])
def test_records_are_frozen(record):
    field = dataclasses.fields(record)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, field, "other")


@dataclass(frozen=True, slots=True)
class NotedGenome(Genome):
    """A genome with one field more, as a later version may have it."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class NotedAgent(Agent):
    """An agent likewise."""

    note: str = ""


def test_who_is_taught_keeps_every_field_but_its_context():
    genome = NotedGenome("gpt-1", 1.0, GENOME.context, "a judge", "saboteur", note="kept")
    agent = NotedAgent(AgentId(7), genome, AgentId(3), AgentId(1), 4, note="kept too")
    new = (Example("3+3=", "60"),)
    taught = agent.taught(new, 2)
    assert taught.genome == replace(genome, context=(GENOME.context[1], *new))
    assert taught == replace(agent, genome=taught.genome)


def test_what_remembers_has_a_digest_of_its_own():
    genome = replace(GENOME)
    before = genome.digest()
    longer = genome.remember((Example("3+3=", "60"),), 8)
    assert longer.digest() != before
    assert longer.digest() == Genome("gpt-1", 1.0, longer.context).digest()
    level = replace(GENOME.context[0], level=2)
    assert level.framed() == Example("1+1=", "20", 2).framed() != GENOME.context[0].framed()
