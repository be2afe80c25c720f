from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.judging.dissent import confirmed_dissent
from mgptn.population.records.agents import Genome
from mgptn.population.records.population import Population
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.columns import columns
from tests.unit.population.test_growth import Unseen, answered, outcomes_of


def slowly(said, finished, lineages):
    """By its definition, an answer at a time."""
    agents, problems = range(len(said)), range(len(said[0]))

    def confirmed(a, q):
        if not finished[a][q]:
            return False
        others = [b for b in agents if b != a and finished[b][q]]
        kin = [said[b][q] for b in others if lineages[b] == lineages[a]]
        strangers = [said[b][q] for b in others if lineages[b] != lineages[a]]
        return any(text != said[a][q] for text in kin) and said[a][q] in strangers

    return [np.mean([confirmed(a, q) for q in problems]) for a in agents]


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 6), st.integers(1, 5), st.data())
def test_dissent_is_what_kin_deny_and_strangers_confirm(agents, problems, data):
    def table(of):
        row = st.lists(of, min_size=problems, max_size=problems)
        return data.draw(st.lists(row, min_size=agents, max_size=agents))

    said, finished = table(st.sampled_from("abc")), table(st.booleans())
    lineages = data.draw(st.lists(st.integers(3, 5), min_size=agents, max_size=agents))
    outcomes = replace(outcomes_of(said, finished), verdicts=Unseen())
    assert confirmed_dissent(outcomes, lineages) == pytest.approx(
        slowly(said, finished, lineages), abs=1e-12
    )


def test_lineages_of_others_are_refused():
    with pytest.raises(ValueError, match="lineages: expected 2, one an agent, got 3"):
        confirmed_dissent(outcomes_of([["7"], ["8"]]), [0, 0, 1])


def test_fitness_takes_what_dissent_is_worth():
    plain = TournamentSettings(2, 1, 0.6, 0, process="none")
    genomes = [Genome("m", 1.0)] * 3

    def fitness(dissent):
        tournament = Tournament(replace(plain, dissent=dissent), genomes, seed=0)
        # As after births: the first two have one founder.
        first, second, third = tournament.agents
        kin = replace(second, founder=first.founder)
        tournament.agents = Population.of((first, kin, third))
        told = list(answered(tournament.ask()))
        told[2] = replace(told[2], answer="8")  # the second agent's, of the first problem
        return tournament.tell(columns(told)).fitness.tolist()

    assert fitness(0.0) == [1.0] * 3
    # The first agent alone is denied by kin and confirmed by a stranger, in one answer of two.
    assert fitness(5.0) == [3.5, 1.0, 1.0]


@pytest.mark.parametrize("dissent", [-0.1, float("nan"), float("inf")])
def test_an_impossible_worth_is_refused(dissent):
    with pytest.raises(ValueError, match="dissent: expected a number ≥ 0"):
        TournamentSettings(2, 1, 0.6, 0, dissent=dissent)
