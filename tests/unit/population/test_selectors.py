"""Selectors that look elsewhere than at the peers: self, human, and mixtures of several."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from mgptn.population.draws.streams import stream
from mgptn.population.judging.human import Human
from mgptn.population.judging.selectors import SELECTORS, Evidence, mixture
from mgptn.population.records.agents import Genome
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.graded import graded, judges

RIGHT = judges(lambda slot: 0.9)


def told(size=6, problems=5):
    outcomes = graded(size, problems, 2, RIGHT, np.random.default_rng(0))
    return Evidence(outcomes, outcomes.mean_grades(), Human(noise=0.0, lapse=0.0))


def test_self_is_the_authors_own_word_and_unknown_where_nobody_asked():
    evidence = told()
    assert np.isnan(SELECTORS["self"](evidence, stream(0, "s"))).all()
    matches = evidence.outcomes.matches
    seats = np.column_stack([matches.graders[:, :1], matches.slots])
    outcomes = replace(evidence.outcomes, matches=replace(matches, graders=seats))
    own = SELECTORS["self"](replace(evidence, outcomes=outcomes), stream(0, "s"))
    assert own.tolist() == outcomes.grade_values()[:, 1].tolist()


def test_a_human_who_looked_comes_before_the_simulated_one():
    evidence = told()
    outcomes = evidence.outcomes
    simulated = SELECTORS["human"](evidence, stream(0, "s"))
    assert simulated.tolist() == outcomes.verdicts.astype(float).tolist()
    ratings = np.full(len(outcomes), np.nan)
    ratings[3] = 0.25
    rated = replace(outcomes, ratings=ratings)
    scores = SELECTORS["human"](replace(evidence, outcomes=rated), stream(0, "s"))
    assert scores[3] == 0.25
    assert np.delete(scores, 3).tolist() == np.delete(simulated, 3).tolist()


def test_a_mixture_draws_one_selector_for_each_answer_by_weight():
    """The share judged by the oracle is binomial; false alarm 1e-6."""
    outcomes = graded(60, 100, 1, lambda *_: 0.5, np.random.default_rng(1))
    evidence = Evidence(outcomes, outcomes.mean_grades())
    scores = mixture({"oracle": 3.0, "peers": 1.0})(evidence, stream(1, "s"))
    oracle = scores != 0.5
    assert scores[oracle].tolist() == outcomes.verdicts[oracle].astype(float).tolist()
    count, trials = int(oracle.sum()), len(outcomes)
    assert 2 * min(binom.cdf(count, trials, 0.75), binom.sf(count - 1, trials, 0.75)) > 1e-6
    turned = mixture({"peers": 1.0, "oracle": 3.0})(evidence, stream(1, "s"))
    assert turned.tolist() == scores.tolist()


@pytest.mark.parametrize("name", sorted(SELECTORS))
def test_a_mixture_of_one_is_that_selector(name):
    evidence = told()
    alone = SELECTORS[name](evidence, stream(2, "s"))
    assert np.array_equal(mixture({name: 2.0})(evidence, stream(2, "s")), alone, equal_nan=True)


@pytest.mark.parametrize("weights", [{}, {"peers": -1.0}, {"peers": 0.0}, {"peers": float("nan")}])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(ValueError, match="selector: expected weights"):
        mixture(weights)


def test_an_unknown_selector_is_refused_by_name():
    with pytest.raises(ValueError, match=r"selector: expected some of peers.*got 'critic'"):
        mixture({"critic": 1.0})


def test_a_tournament_takes_a_mixture():
    chosen = TournamentSettings(
        problems=4, graders=2, threshold=0.5, context_capacity=2,
        selector={"oracle": 0.5, "none": 0.5},
    )  # fmt: skip
    tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * 6, 3)
    outcomes = replace(graded(6, 4, 2, RIGHT, np.random.default_rng(3)), matches=tournament.ask())
    scores = tournament.tell(outcomes).scores
    known = ~np.isnan(scores)
    assert 0 < known.sum() < len(scores)
    assert scores[known].tolist() == outcomes.verdicts[known].astype(float).tolist()
