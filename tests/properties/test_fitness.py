"""Fitness from grades, aggregation without gold, and ratings from games.

The populations with saboteurs are drawn once, from fixed seeds; the margins asserted are many
standard errors wide (a right implementation fails a fresh seed with less than 1e-6).
"""

# SPDX-License-Identifier: Apache-2.0

import math

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, trim_mean

from mgptn.population.draws.streams import stream
from mgptn.population.judging import grade_rules as fitness
from mgptn.population.judging import ratings
from mgptn.population.judging.dawid_skene import dawid_skene
from mgptn.population.measures.rates import grader_rates
from mgptn.population.records.agents import AgentId
from mgptn.population.records.matches import Match
from mgptn.population.records.outcomes import Grade, Outcome
from tests.columns import columns

pure = settings(deadline=None, max_examples=80)
grade = st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0])
grade_lists = st.lists(st.lists(st.none() | grade, max_size=7), min_size=1, max_size=8)

# Aggregations of grades.


@pure
@given(grade_lists, st.floats(0, 0.49), st.floats(0, 1))
def test_aggregations_of_lists_plainly(answers, trim, threshold):
    table = fitness.as_table(answers)
    assert table.shape == (max(map(len, answers)), len(answers))
    means = fitness.mean_grades(table)
    trimmed = fitness.trimmed_mean_grades(table, trim)
    most, all_of_them = fitness.majority(table, threshold), fitness.unanimity(table, threshold)
    for i, grades in enumerate(answers):
        known = [g for g in grades if g is not None]
        if not known:
            for values in (means, trimmed, most, all_of_them):
                assert math.isnan(values[i])
            continue
        assert means[i] == pytest.approx(sum(known) / len(known))
        assert trimmed[i] == pytest.approx(trim_mean(known, trim))
        votes = [g >= threshold for g in known]
        tie = 2 * sum(votes) == len(votes)
        assert most[i] == (0.5 if tie else float(2 * sum(votes) > len(votes)))
        assert all_of_them[i] == float(all(votes))


def tables(graders, answers):
    cell = st.floats(0, 1, width=32) | st.just(math.nan)
    row = st.lists(cell, min_size=answers, max_size=answers)
    return st.lists(row, min_size=graders, max_size=graders).map(np.array)


@pure
@given(st.integers(1, 6).flatmap(lambda k: tables(k, 7)), st.data())
def test_the_order_of_graders_and_answers_is_of_no_account(table, data):
    rows = data.draw(st.permutations(range(table.shape[0])))
    columns = data.draw(st.permutations(range(table.shape[1])))
    shuffled = table[rows][:, columns]
    for score in (
        fitness.mean_grades,
        lambda t: fitness.trimmed_mean_grades(t, 0.2),
        lambda t: fitness.majority(t, 0.5),
        lambda t: fitness.unanimity(t, 0.5),
    ):
        np.testing.assert_allclose(score(shuffled), score(table)[columns], rtol=1e-9)


@pure
@given(st.integers(1, 6).flatmap(lambda k: tables(k, 7)))
def test_reputations_are_weights_and_reproduce_themselves(table):
    learned = fitness.reputations(table)
    assert learned.rounds <= 100
    assert np.all((learned.weights >= 0) & (learned.weights <= 1))
    assert learned.weights.any()
    if learned.converged and not np.all(learned.weights == 1.0):
        again = plain_agreement(table, learned.weights)
        np.testing.assert_allclose(again, learned.weights, atol=2e-6)
    scores = fitness.reputation_weighted(table)
    assert np.all((scores >= 0) & (scores <= 1) | np.isnan(scores))
    trusted = ~np.isnan(table[learned.weights > 0]).all(axis=0)
    assert np.array_equal(~np.isnan(scores), trusted)


def plain_agreement(table, weights):
    """Correlation of each grader with the weighted mean of the others, one after another."""
    agreement = []
    for k, own in enumerate(table):
        triples = []
        for a in range(table.shape[1]):
            others = [j for j in range(len(table)) if j != k and not math.isnan(table[j, a])]
            trust = sum(weights[j] for j in others)
            if not math.isnan(own[a]) and trust > 1e-9:
                consensus = sum(weights[j] * table[j, a] for j in others) / trust
                triples.append((own[a], consensus, trust))
        if len(triples) < 2:
            agreement.append(0.0)
            continue
        x, y, trust = np.array(triples).T
        covariance = np.cov(x, y, aweights=trust, ddof=0)
        spread = math.sqrt(covariance[0, 0] * covariance[1, 1])
        agreement.append(max(0.0, covariance[0, 1] / spread) if spread > 1e-9 else 0.0)
    return np.array(agreement)


def test_reputations_when_nobody_agrees_or_nobody_can():
    opposed = fitness.reputations([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    assert opposed.weights.tolist() == [1.0, 1.0]
    assert fitness.reputations([[0.2, 0.9]]).weights.tolist() == [1.0]
    constant = fitness.reputations([[1.0, 1.0, 1.0], [0.9, 0.1, 0.2], [0.8, 0.2, 0.2]])
    assert constant.weights[0] == 0.0
    assert constant.weights[1:].min() > 0.9


def test_a_survey_has_a_row_for_every_grader():
    def outcome(author, *grades):
        match = Match(AgentId(author), 0, tuple(grader for grader, _ in grades))
        given = tuple(Grade(g, None if v is None else (1.0,), v) for g, v in grades)
        return Outcome(match, "1+1=", "2", True, 1, 0.0, given, True)

    outcomes = [
        outcome(9, (7, 0.125), (8, 0.75)),
        outcome(7, (9, 0.25), (8, None)),
        outcome(8, (9, 1.0), (7, 0.5)),
    ]
    table = fitness.survey(columns(outcomes))
    assert table.graders == (7, 8, 9)
    unasked = np.nan
    np.testing.assert_array_equal(
        table.grades,
        [[0.125, unasked, 0.5], [0.75, np.nan, unasked], [unasked, 0.25, 1.0]],
        strict=True,
    )


@pure
@given(st.integers(1, 4), st.lists(st.none() | grade, min_size=1, max_size=5))
def test_fitness_is_the_mean_of_an_agents_own_scores(agents, scores):
    every = np.array([math.nan if s is None else s for s in scores] * agents)
    known = [s for s in scores if s is not None]
    own = sum(known) / len(known) if known else math.nan
    got = fitness.agent_fitness(every, agents)
    np.testing.assert_allclose(got, [own] * agents, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fitness.mean_grades([0.5]), "graders by answers"),
        (lambda: fitness.mean_grades([[1.5]]), "grades"),
        (lambda: fitness.trimmed_mean_grades([[0.5]], 0.5), "trim"),
        (lambda: fitness.majority([[0.5]], math.nan), "threshold"),
        (lambda: fitness.weighted_mean_grades([[0.5]], [1.0, 1.0]), "weights"),
        (lambda: fitness.weighted_mean_grades([[0.5]], [-1.0]), "weights"),
        (lambda: fitness.reputations([[0.5]], iterations=0), "iterations"),
        (lambda: fitness.agent_fitness([0.5, 0.5, 0.5], 2), "scores"),
        (lambda: dawid_skene([[0.5]]), "labels"),
        (lambda: dawid_skene([[math.nan]]), "labels"),
        (lambda: dawid_skene([[1.0]], smoothing=0.0), "smoothing"),
    ],
)
def test_what_is_undefined_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Saboteurs: 3 of 10 graders accept the wrong and reject the right.


def graded_population(name, share_graded, graders=10, saboteurs=3, answers=3000):
    """Grades by honest graders of TPR .75, FPR .3 and by saboteurs that turn a grade round."""
    rng = stream(1, "saboteurs", name)
    right = rng.random(answers) < 0.4
    accepts = rng.random((graders, answers)) < np.where(right, 0.75, 0.3)
    accepts[:saboteurs] ^= True
    sure = beta(4, 1.5).rvs(size=(graders, answers), random_state=rng) / 2 + 0.5
    grades = np.where(accepts, sure, 1 - sure)
    grades[rng.random(grades.shape) >= share_graded] = np.nan
    return grades, right


def youden(scores, right):
    return grader_rates(scores, right, 0.5).youden_j


@pytest.mark.parametrize("share_graded", [1.0, 0.6])
def test_saboteurs_fool_the_mean_but_not_reputations_nor_dawid_skene(share_graded):
    grades, right = graded_population(f"{share_graded}", share_graded)
    honest = youden(fitness.mean_grades(grades[3:]), right)
    labels = np.where(np.isnan(grades), np.nan, grades >= 0.5)
    consensus = dawid_skene(labels)
    assert youden(fitness.mean_grades(grades), right) < honest - 0.15
    assert youden(fitness.reputation_weighted(grades), right) > honest - 0.1
    assert youden(consensus.right, right) > honest - 0.1
    assert fitness.reputations(grades).weights[:3].tolist() == [0.0] * 3
    assert np.all(consensus.tpr[:3] < consensus.fpr[:3])
    assert np.all(consensus.tpr[3:] > consensus.fpr[3:])


# Dawid and Skene.


def plain_objective(labels, right_share, tpr, fpr, smoothing):
    """Log-posterior of the parameters by enumeration, answer by answer, grader by grader."""
    total = 0.0
    for column in labels.T:
        if np.isnan(column).all():
            continue
        terms = []
        for share, rates in ((right_share, tpr), (1 - right_share, fpr)):
            chance = share
            for vote, rate in zip(column, rates, strict=True):
                chance *= 1.0 if math.isnan(vote) else rate if vote else 1 - rate
            terms.append(chance)
        total += math.log(sum(terms))
    rates = [right_share, *tpr, *fpr]
    return total + smoothing * sum(math.log(rate * (1 - rate)) for rate in rates)


labels = st.tuples(st.integers(1, 5), st.integers(1, 12)).flatmap(
    lambda shape: st.lists(
        st.lists(st.sampled_from([0.0, 1.0, math.nan]), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(np.array)
)


@pure
@given(labels.filter(lambda t: not np.isnan(t).all()), st.floats(1e-3, 3.0))
def test_the_objective_never_falls_and_is_the_plain_one(table, smoothing):
    fit = dawid_skene(table, iterations=60, smoothing=smoothing)
    assert np.all(np.diff(fit.objective) >= -1e-9 * (1 + np.abs(fit.objective[1:])))
    expected = plain_objective(table, fit.prevalence, fit.tpr, fit.fpr, smoothing)
    assert fit.objective[-1] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert np.array_equal(np.isnan(fit.right), np.isnan(table).all(axis=0))
    for rates in (fit.tpr, fit.fpr, fit.right[~np.isnan(fit.right)]):
        assert np.all((rates >= 0) & (rates <= 1))


@pure
@given(labels.filter(lambda t: not np.isnan(t).all()))
def test_the_start_is_symmetric_in_accepting_and_rejecting(table):
    """With all labels turned round, right answers are wrong ones and rates their complements."""
    fit, turned = dawid_skene(table, iterations=5), dawid_skene(1 - table, iterations=5)
    np.testing.assert_allclose(turned.right, 1 - fit.right, atol=1e-9)
    np.testing.assert_allclose(turned.tpr, 1 - fit.fpr, atol=1e-9)
    assert turned.prevalence == pytest.approx(1 - fit.prevalence)


def test_dawid_skene_finds_the_rates_that_drew_the_labels():
    """Standard errors are about .01; the margin is 6 of them and more."""
    rng = stream(2, "dawid-skene")
    tpr, fpr = np.array([0.9, 0.8, 0.7, 0.95, 0.6, 0.2]), np.array([0.1, 0.3, 0.2, 0.4, 0.5, 0.7])
    right = rng.random(8000) < 0.35
    votes = rng.random((6, 8000)) < np.where(right, tpr[:, None], fpr[:, None])
    fit = dawid_skene(votes)
    assert fit.converged
    assert np.abs(fit.tpr - tpr).max() < 0.07
    assert np.abs(fit.fpr - fpr).max() < 0.07
    assert fit.prevalence == pytest.approx(0.35, abs=0.07)
    truth = plain_objective(votes.astype(float), 0.35, tpr, fpr, 1.0)
    assert fit.objective[-1] > truth
    calibrated = [
        right[(fit.right > low) & (fit.right <= low + 0.25)] for low in (0, 0.25, 0.5, 0.75)
    ]
    for low, answers in zip((0, 0.25, 0.5, 0.75), calibrated, strict=True):
        assert low - 0.15 < answers.mean() < low + 0.4


# Ratings from games.

pairs = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda p: p[0] != p[1])
rounds = st.lists(st.tuples(pairs, st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=30)


@pure
@given(rounds, st.floats(1, 64))
def test_elo_plainly(played, step):
    games, scores = [pair for pair, _ in played], [score for _, score in played]
    got = ratings.elo(games, 5, scores, start=1000.0, step=step)
    plain = dict.fromkeys(range(5), 1000.0)
    for (one, other), score in played:
        expected = 1 / (1 + 10 ** ((plain[other] - plain[one]) / 400))
        plain[one] += step * (score - expected)
        plain[other] += step * ((1 - score) - (1 - expected))
    np.testing.assert_allclose(got, list(plain.values()), rtol=1e-9)
    assert got.mean() == pytest.approx(1000.0)
    turned = ratings.elo([pair[::-1] for pair in games], 5, [1 - s for s in scores], 1000.0, step)
    np.testing.assert_allclose(turned, got, rtol=1e-9)


def test_the_order_of_games_matters_to_elo():
    assert ratings.elo([(0, 1)], 3).tolist() == [1516.0, 1484.0, 1500.0]
    assert ratings.elo([(0, 1), (1, 0)], 2)[0] < 1500 < ratings.elo([(1, 0), (0, 1)], 2)[0]


def random_games(count):
    rng = stream(3, "games")
    strengths = np.array([-1.0, -0.3, 0.0, 0.4, 0.9])
    games = []
    for _ in range(count):
        one, other = rng.choice(5, size=2, replace=False).tolist()
        wins = rng.random() < 1 / (1 + math.exp(strengths[other] - strengths[one]))
        games.append((one, other) if wins else (other, one))
    return games, strengths


def test_elo_with_small_steps_approaches_bradley_terry_by_choix():
    games, _ = random_games(6000)
    got = ratings.elo(games, 5, step=2.0) - 1500.0
    points = choix.ilsr_pairwise(5, games) * 400 / math.log(10)
    assert np.abs(got - points).max() < 40.0


def test_weng_lin_orders_players_as_choix_does_and_grows_sure():
    games, strengths = random_games(1500)
    skills = ratings.weng_lin(games, 6)
    assert np.array_equal(np.argsort(skills.mean[:5]), np.argsort(choix.ilsr_pairwise(5, games)))
    assert np.array_equal(np.argsort(skills.mean[:5]), np.argsort(strengths))
    assert skills.mean[5] == 25.0
    assert skills.deviation[5] == pytest.approx(25 / 3)
    assert np.all(skills.deviation[:5] < 2.0)


def test_weng_lin_with_many_players_and_draws():
    ranked = ratings.weng_lin([(2, 0, 1)], 3)
    assert ranked.mean[2] > ranked.mean[0] > ranked.mean[1]
    scored = ratings.weng_lin([(0, 1, 2)], 3, scores=[(0.5, 0.1, 0.9)])
    np.testing.assert_allclose(scored.mean, ranked.mean)
    drawn = ratings.weng_lin([(0, 1)], 2, scores=[(0.5, 0.5)])
    assert drawn.mean[0] == pytest.approx(drawn.mean[1])
    assert np.all(drawn.deviation < 25 / 3)


@pytest.mark.parametrize("rate", [ratings.elo, ratings.weng_lin])
@pytest.mark.parametrize(
    ("games", "message"),
    [
        ([], "games: expected at least one"),
        ([(0, 1), (1, 1)], r"games\[1\]: .*distinct"),
        ([(0, 1), (0, 3)], r"games\[1\]: expected players 0 to 2, got 3"),
        ([(-1, 1)], r"games\[0\]: expected players 0 to 2, got -1"),
    ],
)
def test_undefined_games_are_refused(rate, games, message):
    with pytest.raises(ValueError, match=message):
        rate(games, 3)


def test_other_arguments_of_ratings_are_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        ratings.elo([(0.0, 1.0)], 2)
    with pytest.raises(ValueError, match="scores"):
        ratings.elo([(0, 1)], 2, scores=[1.5])
    with pytest.raises(ValueError, match="step"):
        ratings.elo([(0, 1)], 2, step=0.0)
    with pytest.raises(ValueError, match=r"scores\[0\]"):
        ratings.weng_lin([(0, 1)], 2, scores=[(1.0,)])
    with pytest.raises(ValueError, match="scores"):
        ratings.weng_lin([(0, 1)], 2, scores=[])
    with pytest.raises(ValueError, match=r"games\[0\]: .*distinct"):
        ratings.weng_lin([(0,)], 2)
