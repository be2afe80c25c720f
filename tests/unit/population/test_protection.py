"""Births kept for the rare: by their definition, and in the tournament."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.processes import ProcessOptions
from mgptn.population.breeding.protection import rarity_rates
from mgptn.population.records.agents import Genome
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.columns import columns
from tests.unit.population.test_growth import Unseen, answered, outcomes_of


def slowly(said: list, finished: list, deme_size: int) -> list[float]:
    """By its definition, a problem and a deme at a time."""
    rates = np.zeros((len(said), len(said[0])))
    for problem in range(len(said[0])):
        for start in range(0, len(said), deme_size):
            deme = range(start, start + deme_size)
            whole = [a for a in deme if finished[a][problem]]
            kinds = {said[a][problem] for a in whole}
            for agent in deme:
                if not whole:
                    rates[agent, problem] = 1.0
                elif agent in whole:
                    alike = [a for a in whole if said[a][problem] == said[agent][problem]]
                    rates[agent, problem] = deme_size / len(kinds) / len(alike)
    return rates.mean(axis=1).tolist()


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.data())
def test_every_answers_givers_share_its_part_of_the_births(demes, size, problems, data):
    agents = demes * size

    def table(of):
        row = st.lists(of, min_size=problems, max_size=problems)
        return data.draw(st.lists(row, min_size=agents, max_size=agents))

    said, finished = table(st.sampled_from("abc")), table(st.booleans())
    outcomes = replace(outcomes_of(said, finished), verdicts=Unseen())
    rates = rarity_rates(outcomes, size)
    assert rates == pytest.approx(slowly(said, finished, size), abs=1e-12)
    np.testing.assert_allclose(rates.reshape(demes, size).mean(axis=1), 1.0)


def test_demes_that_do_not_make_up_a_population_are_refused():
    with pytest.raises(ValueError, match="deme_size: expected a divisor of 3 agents, got 2"):
        rarity_rates(outcomes_of([["7"], ["8"], ["8"]], [[True]] * 3), 2)


@pytest.mark.parametrize("process", ["wright-fisher", "islands"])
def test_a_share_of_the_births_is_by_rarity(process):
    one = TournamentSettings(1, 2, 0.6, 0, process=process, options=ProcessOptions(demes=1))

    def rates(protection):
        tournament = Tournament(replace(one, protection=protection), [Genome("m", 1.0)] * 3, seed=0)
        told = list(answered(tournament.ask()))
        told[1] = replace(told[1], answer="8")
        return tournament.tell(columns(told)).rates

    assert rates(0.0).tolist() == [1.0] * 3
    np.testing.assert_allclose(rates(1.0), [0.75, 1.5, 0.75])
    np.testing.assert_allclose(rates(0.2), 0.8 + 0.2 * np.array([0.75, 1.5, 0.75]))


@pytest.mark.parametrize("protection", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(protection):
    with pytest.raises(ValueError, match="protection: expected"):
        TournamentSettings(2, 1, 0.6, 0, protection=protection)
