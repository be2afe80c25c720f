"""Upper level sets against a plain count, kicks, and the verdicts that follow from outcomes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.experiments.claims.agency.analysis import analyse, returned
from mgptn.experiments.claims.agency.levels import upper_levels
from mgptn.experiments.claims.agency.measures import CONTEXTS, FOUNDERS, WEIGHTS, Kick, kick_all
from mgptn.experiments.claims.method.claim import load_claim
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Example, Genome
from mgptn.protocols.tasks.arithmetic import Addition
from tests.measured import measured

SEEDS, QUESTIONS = 8, 20
OPTIONS = load_claim("agency").registered.options


@given(
    st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=12),
    st.floats(0.05, 0.95),
)
def test_a_level_set_is_the_smallest_that_holds_its_share(
    weights: list[float], share: float
) -> None:
    p = np.array(weights) / sum(weights)
    found = upper_levels(p[None], share)
    order, held, size = sorted(p, reverse=True), 0.0, 0
    while held < share - 1e-12:
        held, size = held + order[size], size + 1
    assert found.size[0] == size == found.inside[0].sum()
    assert p[found.inside[0]].sum() >= share - 1e-9
    expected = math.log(order[size - 1] / order[size]) if size < len(order) else 0.0
    assert found.gap[0] == pytest.approx(expected, abs=1e-9)
    assert found.gap[0] >= 0.0


def test_a_kick_misleads_a_share_of_examples_or_adds_noise_of_each_members_own() -> None:
    task, rng = Addition(2), stream(0, "kicks")
    problems = [task.draw(rng, "train") for _ in range(8)]
    context = tuple(Example(p.query, p.reference) for p in problems)
    whole = [Genome("gpt-1", 1.0, context)] * 3
    for share in (0.25, 0.5, 1.0):
        kicked = kick_all(whole, Kick(CONTEXTS, share), task, 0)
        for genome in kicked:
            wrong = [not task.verify(e.query, e.answer) for e in genome.context]
            assert sum(wrong) == round(8 * share)
            assert [e.query for e in genome.context] == [e.query for e in context]
        assert len({genome.digest() for genome in kicked}) == 3
    noised = kick_all(whole, Kick(WEIGHTS, 0.1), task, 0)
    assert len({genome.digest() for genome in noised}) == 3
    assert all(genome.context == context and genome.weights.scale == 0.1 for genome in noised)


def test_all_that_was_taken_is_back_or_nothing_is() -> None:
    means = np.array([[0.9, 0.4, 0.9], [0.9, 0.4, 0.4], [0.9, 0.4, 0.65], [0.9, 0.9, 0.9]])
    assert returned(means)[:3] == pytest.approx([1.0, 0.0, 0.5])
    assert np.isnan(returned(means)[3])
