"""Scores from grades, and aggregation without gold.

The populations with saboteurs are drawn once, from fixed seeds; the margins asserted are many
standard errors wide (a right implementation fails a fresh seed with less than 1e-6).
"""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, trim_mean

from mgptn.population.draws.streams import stream
from mgptn.population.judging import grade_rules
from mgptn.population.measures.rates import grader_rates
from tests.reference.population.judging.dawid_skene import dawid_skene
from tests.reference.population.judging.reputation import reputation_weighted, reputations

pure = settings(deadline=None, max_examples=80)
grade = st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0])
grade_lists = st.lists(st.lists(st.none() | grade, max_size=7), min_size=1, max_size=8)

# Aggregations of grades.


@pure
@given(grade_lists, st.floats(0, 0.49), st.floats(0, 1))
def test_aggregations_of_lists_plainly(answers, trim, threshold):
    table = np.full((max(map(len, answers)), len(answers)), np.nan)
    for i, grades in enumerate(answers):
        table[: len(grades), i] = [math.nan if g is None else g for g in grades]
    means = grade_rules.trimmed_mean_grades(table, 0.0)
    trimmed = grade_rules.trimmed_mean_grades(table, trim)
    most, all_of_them = (
        grade_rules.majority(table, threshold),
        grade_rules.unanimity(table, threshold),
    )
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
        lambda t: grade_rules.trimmed_mean_grades(t, 0.0),
        lambda t: grade_rules.trimmed_mean_grades(t, 0.2),
        lambda t: grade_rules.majority(t, 0.5),
        lambda t: grade_rules.unanimity(t, 0.5),
    ):
        np.testing.assert_allclose(score(shuffled), score(table)[columns], rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grade_rules.trimmed_mean_grades([0.5], 0.0), "graders by answers"),
        (lambda: grade_rules.trimmed_mean_grades([[1.5]], 0.0), "grades"),
        (lambda: grade_rules.trimmed_mean_grades([[0.5]], 0.5), "trim"),
        (lambda: grade_rules.majority([[0.5]], math.nan), "threshold"),
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


def means(grades):
    return grade_rules.trimmed_mean_grades(grades, 0.0)


def youden(scores, right):
    return grader_rates(scores, right, 0.5).youden_j


@pytest.mark.parametrize("share_graded", [1.0, 0.6])
def test_saboteurs_fool_the_mean_but_not_reputations_nor_dawid_skene(share_graded):
    grades, right = graded_population(f"{share_graded}", share_graded)
    honest = youden(means(grades[3:]), right)
    labels = np.where(np.isnan(grades), np.nan, grades >= 0.5)
    consensus = dawid_skene(labels)
    assert youden(means(grades), right) < honest - 0.15
    assert youden(reputation_weighted(grades), right) > honest - 0.1
    assert youden(consensus.right, right) > honest - 0.1
    assert reputations(grades)[:3].tolist() == [0.0] * 3
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
