"""The founders' best and vote of k, against every draw and every block; what they do alone."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mgptn.experiments.claims.method.alone import at_best, likeliest
from mgptn.population.measures.answer_errors import best_of_k, vote_of_k


def test_the_best_of_k_is_the_mean_over_all_draws() -> None:
    rng = np.random.default_rng(0)
    grades = rng.choice([0.2, 0.5, 0.9, np.nan], size=(4, 6))
    wrong = (rng.random((4, 6)) < 0.5).astype(np.float64)
    for problem in range(4):
        known = np.where(np.isnan(grades[problem]), -1.0, grades[problem])
        for place, k in enumerate((1, 3, 6)):
            errors = []
            for draw in itertools.combinations(range(6), k):
                best = [i for i in draw if known[i] == max(known[j] for j in draw)]
                errors.append(wrong[problem, best].mean())
            found = best_of_k(grades, wrong, (1, 3, 6))[problem, place]
            assert found == pytest.approx(np.mean(errors))


def test_the_vote_of_k_is_of_blocks_and_ties_count_by_share() -> None:
    answers = np.array([[7, 7, 3, 3, 5, 7]])
    wrong = (answers != 7).astype(np.float64)
    # Of one: 3 of 6 wrong. Of two: 77 right, 33 wrong, 57 even. Of four: tied. Of six: 7 wins.
    expected = [[0.5, (0.0 + 1.0 + 0.5) / 3, 0.5, 0.0]]
    assert vote_of_k(answers, wrong, (1, 2, 4, 6)).tolist() == expected


def test_the_best_temperature_is_found_on_other_problems() -> None:
    """Two temperatures: one right on even problems, one on odd ones. Chosen where it is right, it
    is used where it is wrong."""
    even = np.arange(8) % 2 == 0
    errors = np.stack([~even, even], axis=-1).astype(np.float64)[None]
    assert likeliest(errors)[0].tolist() == (~even).tolist()
    assert at_best(errors).tolist() == [[1.0] * 8]
    always = np.stack([np.ones(8), np.zeros(8)], axis=-1)[None]
    assert at_best(always).tolist() == [[0.0] * 8]
