"""Fitness from comparisons: the stronger is fitter, by the model's own probabilities."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.judging.rated_fitness import rated_fitness
from mgptn.population.records.matches import Matches

pure = settings(deadline=None, max_examples=60)


def matches(size, problems, rivals):
    answers = size * problems
    return Matches(
        np.arange(size), problems, np.zeros((answers, 0), dtype=np.int64), rivals[:, None]
    )


def drawn(size, problems, seed):
    rng = np.random.default_rng(seed)
    authors = np.repeat(np.arange(size), problems)
    return (authors + rng.integers(1, size, size=len(authors))) % size


@pure
@given(st.integers(2, 8), st.integers(1, 6), st.integers(0, 100))
def test_expected_scores_lie_inside_and_average_one_half(size, problems, seed):
    rivals = drawn(size, problems, seed)
    scores = np.random.default_rng(seed).random(len(rivals))
    fitness = rated_fitness(scores, matches(size, problems, rivals))
    assert fitness.mean() == pytest.approx(0.5)
    assert np.all((fitness > 0) & (fitness < 1))


@pure
@given(st.integers(2, 8), st.integers(1, 6), st.integers(0, 100))
def test_undecided_games_leave_all_alike(size, problems, seed):
    rivals = drawn(size, problems, seed)
    for scores in (np.full(len(rivals), np.nan), np.full(len(rivals), 0.5)):
        fitness = rated_fitness(scores, matches(size, problems, rivals))
        assert fitness == pytest.approx(0.5, abs=1e-6)


def test_strengths_are_found_again_from_many_games():
    """Soft results of known strengths: no noise, so only the drawn game of each pulls inwards."""
    size, problems = 5, 400
    strengths = np.linspace(-1, 1, size)
    rivals = drawn(size, problems, 0)
    authors = np.repeat(np.arange(size), problems)
    scores = 1 / (1 + np.exp(strengths[rivals] - strengths[authors]))
    fitness = rated_fitness(scores, matches(size, problems, rivals))
    against = 1 / (1 + np.exp(strengths[None] - strengths[:, None]))
    expected = (against.sum(axis=1) - 0.5) / (size - 1)
    assert fitness == pytest.approx(expected, abs=2e-3)


def test_beating_the_strong_counts_for_more_than_beating_the_weak():
    """Mean scores are equal; the rivals are not."""
    strong, weak, first, second = 0, 1, 2, 3
    rivals = np.array([weak, weak, strong, strong, strong, strong, weak, weak])
    scores = np.array([1.0, 1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5])
    fitness = rated_fitness(scores, matches(4, 2, rivals))
    assert fitness[strong] > fitness[first] > fitness[second] > fitness[weak]


def test_without_partners_there_is_nothing_to_rate():
    alone = Matches(np.arange(2), 1, np.zeros((2, 1), dtype=np.int64))
    with pytest.raises(ValueError, match="expected partners to compare"):
        rated_fitness(np.array([0.5, 0.5]), alone)
