"""Upper level sets against a plain count, kicks, and the verdicts that follow from outcomes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
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


def levels(gap: float, cooled: float, coin: float, neutral: float) -> pl.DataFrame:
    """Gaps of the last of two generations, of deviation .3 between problems."""
    rng, frames = stream(3, "levels"), []
    arms = {
        (FOUNDERS, "1.0"): 0.1,
        (FOUNDERS, "0.5"): cooled,
        ("peers", "0.02"): gap,
        ("peers", "inf"): neutral,
        ("coin", ""): coin,
    }
    for (arm, at), last in arms.items():
        for generation in (0,) if arm == FOUNDERS else (1, 2):
            middle = last if arm == FOUNDERS or generation == 2 else 0.0
            for seed in range(SEEDS):
                values = middle + rng.normal(0.0, 0.3, QUESTIONS) * (middle > 0.0)
                frames.append(
                    pl.DataFrame(
                        {
                            "problem": range(QUESTIONS), "size": np.full(QUESTIONS, 3.0),
                            "gap": values, "right": np.full(QUESTIONS, 0.7),
                        }
                    ).with_columns(
                        arm=pl.lit(arm), at=pl.lit(at), generation=pl.lit(generation),
                        seed=pl.lit(seed),
                    )
                )  # fmt: skip
    return pl.concat(frames)


def kicks(back: dict[tuple[str, float, str], float]) -> pl.DataFrame:
    """Of .4 that every kick takes, what is back in the end, of deviation .1 between seeds."""
    rng, frames = stream(4, "kicks"), []
    for kind, sizes in OPTIONS["kicks"].items():
        for size in sizes:
            for by in OPTIONS["selected"]:
                for seed in range(SEEDS):
                    share = back.get((kind, size, by), 0.5) + rng.normal(0.0, 0.1)
                    frames.append(
                        pl.DataFrame(
                            {
                                "kind": kind, "size": float(size), "by": by,
                                "problem": range(QUESTIONS), "before": np.full(QUESTIONS, 0.9),
                                "kicked": np.full(QUESTIONS, 0.5), "seed": seed,
                                "after": np.full(QUESTIONS, 0.5 + 0.4 * share),
                            }
                        )
                    )  # fmt: skip
    return pl.concat(frames)


GAPS = {"gap": 3.0, "cooled": 1.0, "coin": 0.5, "neutral": 2.0}
BACK = {
    (CONTEXTS, 1.0, "coin"): -0.5,
    (WEIGHTS, 0.02, "T ∞"): 0.1,
    (WEIGHTS, 0.01, "peers"): 0.9,
    (WEIGHTS, 0.04, "peers"): 0.1,
}


@pytest.mark.parametrize(
    ("gaps", "back", "verdict", "why"),
    [
        ({}, {}, "holds", "sharp"),
        ({"gap": 0.6, "neutral": 0.2, "cooled": 0.2}, {}, "fails", "sharp"),
        ({"cooled": 5.0}, {}, "fails", "sampling temperature"),
        ({"coin": 4.0}, {}, "fails", "a coin's"),
        ({"neutral": 4.0}, {}, "fails", "T ∞"),
        ({}, {(CONTEXTS, 1.0, "coin"): 0.8}, "fails", "beyond a coin"),
        ({}, {(WEIGHTS, 0.02, "T ∞"): 0.9}, "fails", "middle kick"),
        ({}, {(WEIGHTS, 0.04, "peers"): 1.0}, "fails", "basin"),
        ({"cooled": 3.0}, {}, "undecided", "sampling temperature"),
        ({"neutral": 3.0}, {}, "undecided", "T ∞"),
        ({"coin": 3.0}, {}, "undecided", "a coin's"),
        ({"gap": 1.0, "neutral": 0.2, "cooled": 0.2}, {}, "undecided", "sharp"),
        ({}, {(CONTEXTS, 1.0, "coin"): 0.3}, "undecided", "beyond a coin"),
        ({}, {(WEIGHTS, 0.02, "T ∞"): 0.5}, "undecided", "middle kick"),
        ({}, {(WEIGHTS, 0.04, "peers"): 0.7}, "undecided", "basin"),
    ],
)
def test_an_outcome_of_each_kind_has_its_verdict(
    tmp_path: Path,
    gaps: dict[str, float],
    back: dict[tuple[str, float, str], float],
    verdict: str,
    why: str,
) -> None:
    tables = {"levels": levels(**{**GAPS, **gaps}), "kicks": kicks({**BACK, **back})}
    found = analyse(measured(tmp_path, tables))
    assert found.verdict == verdict, found.why
    assert any(why in line for line in found.why), found.why
    numbers = {n.name: n.value for n in found.numbers["Back of what a kick took"]}
    # Of eight seeds the mean is beyond ± .25 once in 1e12 (deviation .035).
    assert numbers["contexts 1, peers"] == pytest.approx(0.5, abs=0.25)
