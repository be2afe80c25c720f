"""Noise and mergers: mutations of weights, beside those of contexts, which fall as before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.population.breeding.mutation import (
    MUTATIONS,
    STREAMS,
    MutationRates,
    mutate,
    unmutated,
)
from mgptn.population.breeding.recombination import merged_weights
from mgptn.population.draws.streams import first_uniforms, philox_keys, stream
from mgptn.population.records.agents import Example, Genome
from mgptn.population.records.weights import learned
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.columns import columns
from tests.unit.population.test_growth import answered

GENOME = Genome("m", 1.0, tuple(Example(str(i), str(i)) for i in range(3)))
SOME = MutationRates(drop=0.3, swap=0.3, duplicate=0.2, jitter=0.3)


def course(**settings):
    """Digests of four generations of five agents who say nothing of consequence."""
    plain = {"problems": 2, "graders": 1, "threshold": 0.6, "context_capacity": 3}
    tournament = Tournament(TournamentSettings(**plain, **settings), [GENOME] * 5, seed=3)
    return [tournament.tell(columns(answered(tournament.ask()))) for _ in range(4)]


def test_every_mutation_has_one_stream():
    assert sorted(name for names in STREAMS.values() for name in names) == sorted(MUTATIONS)
    assert all(len(names) <= 4 for names in STREAMS.values())


def test_noise_changes_nothing_about_other_mutations():
    without, beside = course(mutation=SOME), course(mutation=replace(SOME, noise=0.5))
    assert any(birth.mutations for one in without for birth in one.births)
    noisy = 0
    for one, other in zip(without, beside, strict=True):
        for birth, same in zip(one.births, other.births, strict=True):
            assert birth.mutations == tuple(name for name in same.mutations if name != "noise")
            noisy += "noise" in same.mutations
        for agent, same in zip(one.survivors, other.survivors, strict=True):
            assert agent.genome == replace(same.genome, weights=None)
    assert noisy


@given(st.integers(0, 50), st.floats(0, 1))
def test_who_is_spared_is_who_does_not_mutate(seed, chance):
    rates = MutationRates(noise=chance)
    draws = first_uniforms(philox_keys(seed, "mutation by noise", 0, count=6))
    spared = unmutated(rates, "mutation by noise", draws)
    for birth in range(6):
        rng = stream(seed, "mutation by noise", 0, birth)
        mutant, names = mutate(GENOME, rates, 3, rng, "mutation by noise")
        assert spared[birth] == (names == ())
        assert (mutant == GENOME) == (names == ())


def test_noise_has_a_key_of_its_own_at_each_birth():
    born = [a.genome.weights for a in course(mutation=MutationRates(noise=1.0))[0].survivors]
    assert len({weights.key for weights in born}) == len(born)
    assert {weights.step for weights in born} == {"noise"}
    assert {weights.scale for weights in born} == {0.01}


def test_a_merger_has_two_parents():
    rates = {"mutation": MutationRates(noise=1.0), "merging": 1.0, "merging_share": 0.25}
    first, second, *_ = course(**rates)
    # The founders are all alike: nothing to merge, whoever the mate is.
    assert all(a.genome.weights.sources == (None,) for a in first.survivors)
    genomes = {agent.id: agent.genome for agent in second.agents}
    for birth, child in zip(second.births, second.survivors, strict=True):
        (mixed,) = child.genome.weights.sources
        assert mixed.step == "merged"
        assert mixed.scale == 0.25
        assert mixed.sources == (
            genomes[birth.parent].weights, genomes[birth.other_parent].weights,
        )  # fmt: skip


def test_parents_of_the_same_weights_have_nothing_to_merge():
    taught = replace(GENOME, weights=learned(None, "m", "c"))
    assert merged_weights(GENOME, GENOME, 0.5) is GENOME
    assert merged_weights(GENOME, taught, 0.0) is GENOME
    assert merged_weights(GENOME, taught, 0.5).weights.sources == (None, taught.weights)
    other = replace(GENOME, model="n")
    assert merged_weights(GENOME, other, 0.5).weights.other_founder == "n"


@pytest.mark.parametrize("field", ["merging", "merging_share"])
def test_no_probability_is_refused(field):
    with pytest.raises(ValueError, match=rf"{field}: expected a probability in \[0, 1\], got 2"):
        TournamentSettings(1, 1, 0.5, 1, **{field: 2})


def test_noise_without_a_probability_is_refused():
    with pytest.raises(ValueError, match=r"noise: expected a probability in \[0, 1\], got 2"):
        MutationRates(noise=2)
