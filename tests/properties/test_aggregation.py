"""Aggregation by seats: against the slow tables, with a memory, and against saboteurs."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.draws.streams import stream
from mgptn.population.judging.aggregation import (
    AGGREGATIONS,
    Rule,
    aggregate,
    ballots_of,
    disagreement,
)
from mgptn.population.judging.grade_rules import majority, quorum, trimmed_mean_grades, unanimity
from mgptn.population.judging.reputation import reputation_scores
from mgptn.population.measures.rates import grader_rates
from mgptn.population.records.agents import Genome
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.graded import graded, judges
from tests.reference.population.judging.dawid_skene import dawid_skene
from tests.reference.population.judging.reputation import reputation_weighted

pure = settings(deadline=None, max_examples=60)


def by_chance(slot, verdict, uniform):
    return float("nan") if uniform < 0.15 else round(uniform, 2)


def table(outcomes):
    """The same grades in a row per agent, [M, A]."""
    rows = np.full((len(outcomes.matches.authors), len(outcomes)), np.nan)
    seats = outcomes.matches.graders
    rows[seats, np.arange(len(outcomes))[:, None]] = outcomes.grade_values()
    return rows


def scored(outcomes, name, known=None, **options):
    learns = AGGREGATIONS[name].learns
    before = np.zeros((len(outcomes.matches.authors), learns)) if known is None else known
    return aggregate(outcomes, Rule(name, **options), before)


@pure
@given(st.integers(2, 7), st.integers(1, 5), st.integers(0, 10**6), st.data())
def test_every_rule_agrees_with_its_slow_table(size, problems, seed, data):
    graders = data.draw(st.integers(1, size - 1))
    outcomes = graded(size, problems, graders, by_chance, np.random.default_rng(seed))
    rows = table(outcomes)
    slow = {
        "mean": trimmed_mean_grades(rows, 0.0),
        "trimmed-mean": trimmed_mean_grades(rows, 0.3),
        "quorum": quorum(rows, 0.6, 2),
        "majority": majority(rows, 0.6),
        "unanimity": unanimity(rows, 0.6),
    }
    for name, expected in slow.items():
        scores = scored(outcomes, name, threshold=0.6, trim=0.3, least=2).scores
        assert scores == pytest.approx(expected, nan_ok=True)
    if not np.isnan(rows).all():
        labels = np.where(np.isnan(rows), np.nan, rows >= 0.6)
        found = dawid_skene(labels, iterations=200)
        assert scored(outcomes, "dawid-skene", threshold=0.6).scores == pytest.approx(
            found.right, abs=1e-7, nan_ok=True
        )


@pure
@given(st.integers(4, 8), st.integers(0, 10**6))
def test_reputation_without_a_memory_is_that_of_the_slow_table(size, seed):
    def says(slot, verdict, uniform):
        return float(verdict == (uniform < (0.9 if slot else 0.3)))

    outcomes = graded(size, 40, 3, says, np.random.default_rng(seed))
    expected = reputation_weighted(table(outcomes))
    assert scored(outcomes, "reputation").scores == pytest.approx(expected, abs=1e-4, nan_ok=True)


@pure
@given(st.sampled_from(sorted(AGGREGATIONS)), st.integers(0, 10**6))
def test_scores_stay_within_the_scale_and_are_unknown_only_without_grades(name, seed):
    outcomes = graded(5, 6, 2, by_chance, np.random.default_rng(seed))
    scores, known = scored(outcomes, name, threshold=0.6)
    some = ~np.isnan(outcomes.grade_values()).all(axis=1)
    assert np.all((scores[~np.isnan(scores)] >= 0.0) & (scores[~np.isnan(scores)] <= 1.0))
    assert np.isnan(scores[~some]).all()
    if name != "reputation":
        assert not np.isnan(scores[some]).any()
    assert known.shape == (5, AGGREGATIONS[name].learns)


@pure
@given(st.sampled_from(["reputation", "dawid-skene"]), st.integers(0, 10**6))
def test_relabelling_the_agents_changes_no_score(name, seed):
    rng = np.random.default_rng(seed)
    outcomes = graded(6, 8, 3, judges(lambda slot: 0.95 if slot else 0.2), rng)
    order = rng.permutation(6)
    matches = replace(outcomes.matches, graders=order[outcomes.matches.graders])
    # Authors keep their rows; only the graders' names are exchanged, as far as that is lawful.
    renamed = replace(outcomes, matches=matches)
    one = AGGREGATIONS[name].apply(ballots_of(outcomes), Rule(name), _nothing(name))
    other = ballots_of(renamed)
    other = replace(other, values=outcomes.grade_values())
    two = AGGREGATIONS[name].apply(other, Rule(name), _nothing(name))
    assert one.scores == pytest.approx(two.scores, abs=1e-6, nan_ok=True)
    assert one.known == pytest.approx(two.known[order], abs=1e-4)


def _nothing(name):
    return np.zeros((6, AGGREGATIONS[name].learns))


def test_three_saboteurs_of_ten_cost_the_mean_a_third_of_j_and_the_learners_little():
    """Errors of J at 6,000 answers are below .02; the gaps asserted are ten times that."""
    honest = graded(40, 150, 4, judges(lambda slot: 0.9), np.random.default_rng(1))
    mixed = graded(
        40, 150, 4, judges(lambda slot: 0.1 if slot < 12 else 0.9), np.random.default_rng(1)
    )

    def j(outcomes, name):
        scores = scored(outcomes, name, threshold=0.6).scores
        return grader_rates(scores, outcomes.verdicts, 0.6).youden_j

    clean = j(honest, "mean")
    assert j(mixed, "mean") < clean - 0.3
    assert j(mixed, "trimmed-mean") < clean - 0.1
    for name in ("reputation", "dawid-skene"):
        assert j(mixed, name) > clean - 0.1


@pytest.mark.parametrize("name", ["reputation", "dawid-skene"])
def test_what_was_learned_counts_where_there_is_nothing_to_learn_from(name):
    """One answer, one honest grader against two saboteurs: only a memory can tell."""
    rng = np.random.default_rng(2)
    sees = judges(lambda slot: 0.05 if slot < 2 else 0.95)
    learned = scored(graded(8, 100, 3, sees, rng), name, threshold=0.6).known
    answer = graded(8, 1, 3, sees, rng, truth=np.ones(8, dtype=np.bool_))
    seats = np.tile([0, 1, 7], (8, 1))
    answer = replace(
        answer,
        matches=replace(answer.matches, graders=seats),
        values=np.array([0.0, 1.0]),
        levels=np.eye(5)[[0, 4]],
        grades=np.tile([0, 0, 1], (8, 1)),
    )
    answer = replace(answer, matches=replace(answer.matches, graders=seats))
    rule = AGGREGATIONS[name]
    ballots = replace(ballots_of(answer), values=answer.grade_values())
    scores = rule.apply(ballots, Rule(name, 0.6), learned).scores
    assert scores.min() > 0.8
    forgotten = rule.apply(ballots, Rule(name, 0.6), np.zeros((8, rule.learns))).scores
    assert forgotten.max() < 0.5


def test_reputations_add_up_over_generations():
    rng = np.random.default_rng(3)
    sees = judges(lambda slot: 0.9)
    first, second = (ballots_of(graded(6, 30, 2, sees, rng)) for _ in range(2))
    _, once = reputation_scores(first, np.zeros((6, 3)), 200)
    _, twice = reputation_scores(second, once, 200)
    assert np.all(twice[:, :2] > once[:, :2])
    assert np.all(once[:, 2] ** 2 <= once[:, 0] * once[:, 1] * (1 + 1e-9))


@pytest.mark.parametrize("name", ["reputation", "dawid-skene"])
def test_a_child_begins_with_what_is_known_of_its_parent(name):
    chosen = TournamentSettings(
        problems=12, graders=3, threshold=0.6, context_capacity=0, aggregation=name
    )
    tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * 8, 5)
    rng = np.random.default_rng(5)
    for _ in range(3):
        matches = tournament.ask()
        outcomes = graded(8, 12, 3, judges(lambda slot: 0.8), rng)
        outcomes = replace(outcomes, matches=matches)
        rule = Rule(name, 0.6)
        _, known = aggregate(outcomes, rule, tournament._known)
        before = {agent.id: row for agent, row in zip(tournament.agents, known, strict=True)}
        told = tournament.tell(outcomes)
        for birth in told.births:
            before[birth.child] = before[birth.parent]
        for agent, row in zip(told.survivors, tournament._known, strict=True):
            assert row.tolist() == before[agent.id].tolist()
    assert any(told.births)


def test_disagreement_is_the_spread_of_an_answers_grades():
    outcomes = graded(4, 5, 3, by_chance, np.random.default_rng(6))
    for spread, row in zip(disagreement(outcomes), outcomes.grade_values(), strict=True):
        read = row[~np.isnan(row)]
        expected = np.std(read) if read.size > 1 else np.nan
        assert spread == pytest.approx(expected, nan_ok=True)


def test_random_streams_name_what_they_are_for():
    assert stream(0, "topology").random() != stream(0, "graders", 0).random()
