"""Recombined contexts are mixes of their parents', in order and within capacity."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.recombination import RECOMBINATIONS, Origin, one_point, thin, uniform
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Example, Genome

pure = settings(deadline=None, max_examples=150)
examples = st.builds(Example, st.sampled_from("abc"), st.sampled_from("xy"))
genomes = st.builds(
    Genome,
    st.sampled_from(["gpt-1", "gpt-2"]),
    st.floats(0.01, 100),
    st.lists(examples, max_size=7).map(tuple),
)
operators = st.sampled_from(list(RECOMBINATIONS.values()))
capacities = st.integers(0, 8)
generators = st.integers(0, 10**6).map(lambda seed: stream(seed, "recombination"))


def check(child, parents, capacity):
    """Every example is where its origin says, and the origins are in order."""
    assert len(child.genome.context) == len(child.origins) <= capacity
    for example, origin in zip(child.genome.context, child.origins, strict=True):
        assert example == parents[origin.parent].context[origin.place]
    places = [origin.place for origin in child.origins]
    assert places == sorted(set(places))
    assert replace(child.genome, context=parents[0].context) == parents[0]


@pure
@given(operators, genomes, genomes, capacities, generators)
def test_a_child_of_two_is_a_mix_in_order(operator, first, second, capacity, rng):
    child = operator(first, second, capacity, rng)
    check(child, (first, second), capacity)
    assert len(child.origins) <= max(len(first.context), len(second.context))


@pure
@given(genomes, genomes, generators)
def test_one_point_is_the_older_of_one_and_the_newer_of_the_other(first, second, rng):
    child = one_point(first, second, 100, rng)
    cuts = range(max(len(first.context), len(second.context)) + 1)
    mixes = [first.context[:cut] + second.context[cut:] for cut in cuts]
    assert child.genome.context in mixes
    parents = [origin.parent for origin in child.origins]
    assert parents == sorted(parents)


@pure
@given(genomes, genomes, generators)
def test_uniform_takes_every_place_from_the_parent_that_the_coin_says(first, second, rng):
    child = uniform(first, second, 100, rng)
    have = {Origin(i, p) for i, g in enumerate((first, second)) for p in range(len(g.context))}
    assert set(child.origins) <= have
    shared = min(len(first.context), len(second.context))
    assert {origin.place for origin in child.origins} >= set(range(shared))


@pure
@given(operators, genomes, capacities, generators)
def test_over_capacity_the_oldest_are_left_out(operator, genome, capacity, rng):
    """With itself as the other parent a child has what fits of the parent's whole context."""
    child = operator(genome, genome, capacity, rng)
    newest = genome.context[len(genome.context) - min(capacity, len(genome.context)) :]
    assert child.genome == replace(genome, context=newest)


@pure
@given(genomes, st.floats(0, 1), capacities, generators)
def test_a_child_of_one_has_some_of_its_examples_in_order(parent, share, capacity, rng):
    child = thin(parent, share, capacity, rng)
    check(child, (parent, parent), capacity)
    assert all(origin.parent == 0 for origin in child.origins)
    assert thin(parent, 1.0, 100, rng).genome == parent
    assert thin(parent, 0.0, 100, rng).genome.context == ()


@pytest.mark.parametrize(("operator", "outcomes"), [(one_point, 5), (uniform, 16)])
def test_every_mix_is_as_likely(operator, outcomes):
    """Of two contexts of 4. False alarm below 1e-9 for each of the outcomes: 8 deviations."""
    first = Genome("gpt-1", 1.0, tuple(Example(str(i), "a") for i in range(4)))
    second = Genome("gpt-1", 1.0, tuple(Example(str(i), "b") for i in range(4)))
    draws = 3000
    rng = stream(1, "mixes")
    drawn = [operator(first, second, 4, rng).genome.context for _ in range(draws)]
    counts = np.array([drawn.count(mix) for mix in sorted(set(drawn), key=str)])
    assert counts.size == outcomes
    deviation = np.sqrt(draws / outcomes * (1 - 1 / outcomes))
    assert np.all(np.abs(counts - draws / outcomes) < 8 * deviation)


def test_arguments_outside_their_range_are_refused():
    rng = stream(1, "refused")
    genome = Genome("gpt-1", 1.0)
    with pytest.raises(ValueError, match="capacity: expected a number ≥ 0, got -1"):
        one_point(genome, genome, -1, rng)
    with pytest.raises(ValueError, match=r"share: .*1\.5"):
        thin(genome, 1.5, 3, rng)
