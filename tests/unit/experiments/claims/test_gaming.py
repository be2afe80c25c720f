"""Best of n from a pool, against every draw there is; the law of over-optimisation, recovered."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.experiments.claims.gaming.best_of_pool import (
    GAMED,
    GOLD,
    PROXY,
    best_of_pool,
    overoptimised,
    strengths_of,
)
from mgptn.population.measures.capability import best_of_n_gold, best_of_n_weights, pass_at_k

pools = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=7)


@given(pools, st.data())
def test_weights_are_those_of_every_draw(scores: list[float], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(scores)))
    expected = np.zeros(len(scores))
    draws = list(itertools.combinations(range(len(scores)), n))
    for draw in draws:
        best = [i for i in draw if scores[i] == max(scores[j] for j in draw)]
        expected[best] += 1.0 / len(best) / len(draws)
    assert best_of_n_weights(scores, n) == pytest.approx(expected)


@given(st.lists(st.booleans(), min_size=1, max_size=300), st.data())
def test_the_best_by_verdict_is_right_as_often_as_any_of_k(
    right: list[bool], data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(right)))
    weights = best_of_n_weights(right, n)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ right == pytest.approx(pass_at_k(len(right), sum(right), n))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match=r"samples: expected 1 to 2 \(the pool\), got 3"):
        best_of_n_weights([0.1, 0.2], 3)
    with pytest.raises(ValueError, match="scores: expected numbers, got NaN"):
        best_of_n_weights([0.1, math.nan], 1)


def test_a_hack_that_is_accepted_always_wins_in_the_end() -> None:
    """One answer of 64 is a hack graded 1; right ones get .8 and are half. Of n, the best is the
    hack with probability n/64."""
    proxy = np.full((64, 1), 0.2)
    proxy[:32], proxy[63] = 0.8, 1.0
    right, gamed = np.arange(64) < 32, np.arange(64) == 63
    values = np.stack([right, gamed], -1).astype(float)[:, None]
    strengths = strengths_of(64)
    found = best_of_pool(proxy, values, strengths)[0]
    assert strengths == [1, 2, 4, 8, 16, 32, 64]
    assert found[:, GAMED] == pytest.approx([n / 64 for n in strengths])
    assert np.all(np.diff(found[:, PROXY]) > 0.0)
    peak = int(np.argmax(found[:, GOLD]))
    assert 0 < peak < len(strengths) - 1
    assert found[-1, GOLD] == 0.0


def test_the_law_that_was_put_in_is_found() -> None:
    distances = np.linspace(0.0, 2.0, 9)
    laws = [(0.5, 0.2), (0.1, -0.1)]
    gold = np.array([[0.3 + best_of_n_gold(d, a, b) for d in distances] for a, b in laws])
    slope, decay = overoptimised(distances, gold)
    assert np.stack([slope, decay], -1) == pytest.approx(np.array(laws))
