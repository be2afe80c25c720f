"""Recombined contexts are mixes of their parents', in order and within capacity."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.recombination import one_point
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
generators = st.integers(0, 10**6).map(lambda seed: stream(seed, "recombination"))


@pure
@given(genomes, genomes, st.integers(0, 8), generators)
def test_a_child_has_the_older_of_one_and_the_newer_of_the_other(first, second, capacity, rng):
    child = one_point(first, second, capacity, rng)
    longest = max(len(first.context), len(second.context))
    mixes = [first.context[:cut] + second.context[cut:] for cut in range(longest + 1)]
    # Over capacity the oldest are left out.
    assert child.context in [mix[max(0, len(mix) - capacity) :] for mix in mixes]
    assert replace(child, context=first.context) == first


def test_every_mix_is_as_likely():
    """Of two contexts of 4. False alarm below 1e-9 for each of the outcomes: 8 deviations."""
    first = Genome("gpt-1", 1.0, tuple(Example(str(i), "a") for i in range(4)))
    second = Genome("gpt-1", 1.0, tuple(Example(str(i), "b") for i in range(4)))
    draws, outcomes = 3000, 5
    rng = stream(1, "mixes")
    drawn = [one_point(first, second, 4, rng).context for _ in range(draws)]
    counts = np.array([drawn.count(mix) for mix in sorted(set(drawn), key=str)])
    assert counts.size == outcomes
    deviation = np.sqrt(draws / outcomes * (1 - 1 / outcomes))
    assert np.all(np.abs(counts - draws / outcomes) < 8 * deviation)


def test_a_negative_capacity_is_refused():
    genome = Genome("gpt-1", 1.0)
    with pytest.raises(ValueError, match="capacity: expected a number ≥ 0, got -1"):
        one_point(genome, genome, -1, stream(1, "refused"))
