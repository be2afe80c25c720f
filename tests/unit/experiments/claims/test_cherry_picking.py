"""Picking populations against soft selection, and what claim 4's analysis makes of tables."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mgptn.experiments.claims.cherry_picking.analysis import analyse
from mgptn.experiments.claims.cherry_picking.measures import (
    BETWEEN,
    GRADIENT,
    ONE_ROUND,
    PLAIN,
    ROUNDS,
    pick,
)
from mgptn.experiments.claims.method.finding import DECIDES
from mgptn.population.breeding.operators import soft_select
from mgptn.population.draws.streams import stream
from tests.measured import measured

TASKS = ("facts", "synthetic")


@pytest.mark.parametrize("rounds", [1, 3])
def test_picked_populations_have_the_selected_shares(rounds: int) -> None:
    """Mean shares of 400 populations of 20,000. False alarm: under 1e-6, by eight deviations.

    Drift is N^−1 a round; its effect on the mean of a ratio is of the same order, far below.
    """
    rng = stream(0, "picked")
    p, rewards = rng.dirichlet(np.ones(6)), rng.random(6)
    target = soft_select(p, rewards, 0.3, 1)
    runs = np.array([pick(p, rewards, 0.3 * rounds, 20_000, rounds, rng) for _ in range(400)])
    np.testing.assert_allclose(runs.sum(axis=1), 1.0)
    error = runs.std(axis=0, ddof=1) / 20.0
    assert np.all(np.abs(runs.mean(axis=0) - target) < 8.0 * error + 1e-4)


def test_what_nobody_sampled_cannot_be_picked() -> None:
    p = np.array([1.0 - 1e-12, 1e-12])
    shares = pick(p, np.array([0.0, 1.0]), 0.01, 1000, 4, stream(1, "picked"))
    assert shares.tolist() == [1.0, 0.0]


def tables(
    distance: float, apart: float, greedy: float, off: float = 0.0, left: float = 0.01
) -> dict:
    """Tables of two tasks and eight seeds, ten problems each, of these numbers and some noise."""
    rng = stream(2, "tables")
    rows: dict[str, list[dict]] = {"endpoints": [], "sharpened": [], "samples": [], "context": []}
    for seed in range(8):
        for task in TASKS:
            for problem in range(10):
                at = {"seed": seed, "task": task, "problem": problem}
                noise = float(rng.uniform(0.95, 1.05))
                for method in (GRADIENT, PLAIN, ONE_ROUND, ROUNDS, BETWEEN):
                    for size in (10, 100) if method in (ONE_ROUND, ROUNDS, BETWEEN) else (0,):
                        found = distance * noise if size != 10 and method != PLAIN else 0.9
                        ends = {"reward": "verdict", "temperature": 0.1, "method": method}
                        rows["endpoints"].append({**at, **ends, "size": size, "distance": found})
                for way in ("answers", "tokens", "picked by verdict"):
                    for power in (1.0, 2.0, math.inf):
                        differs = {1.0: 0.0, 2.0: apart * noise}.get(
                            power, float(problem < 10 * greedy)
                        )
                        numbers = {"gold": 0.5, "divergence": 0.1, "apart": differs}
                        rows["sharpened"].append({**at, "way": way, "power": power, **numbers})
                if task != "synthetic":
                    seen = {"distance": 0.1 * noise + off, "expected": 0.1, "elsewhere": 0.0}
                    rows["samples"].append({**at, **seen})
                    moved = {
                        "moved": 0.2 * noise,
                        "left": left * float(rng.uniform(0.9, 1.1)),
                        "gold": 0.5,
                    }
                    rows["context"].append({**at, **moved})
    return {name: pl.DataFrame(given) for name, given in rows.items()}


@pytest.mark.parametrize(
    ("numbers", "verdict", "why"),
    [
        ((0.01, 0.1, 0.5), "holds", "facts: policy gradient, TV"),
        ((0.08, 0.1, 0.5), "fails", "facts: policy gradient, TV .080"),
        ((0.05, 0.1, 0.5), "undecided", "expected below .050"),
        ((0.01, 0.01, 0.5), "fails", "tokens' from answers' temperature"),
        ((0.01, 0.1, 0.0), "undecided", "greedy answer is not the likeliest"),
        ((0.01, 0.1, 0.5, 0.2), "fails", "TV of the host's samples"),
        ((0.01, 0.1, 0.5, 0.0, 0.05), "fails", "share of the move that no selection makes .25"),
    ],
)
def test_the_verdict_follows_the_tables(
    numbers: tuple[float, ...], verdict: str, why: str, tmp_path: Path
) -> None:
    found = analyse(measured(tmp_path, tables(*numbers)))
    assert found.verdict == verdict
    assert any(why in sentence for sentence in found.why), found.why
    assert (found.p < 0.05) == (numbers[0] < 0.04)


def test_the_largest_population_counts_and_the_worst_reward(tmp_path: Path) -> None:
    given = tables(0.01, 0.1, 0.5)
    worse = given["endpoints"].with_columns(
        reward=pl.lit("grade"), distance=pl.lit(0.03), temperature=pl.lit(0.2)
    )
    given["endpoints"] = pl.concat([given["endpoints"], worse])
    found = analyse(measured(tmp_path, given))
    assert found.number(DECIDES, "facts: picked in one round, TV").value == pytest.approx(0.03)
    context = found.number(DECIDES, "facts: share of the move that no selection makes")
    assert context.value == pytest.approx(0.05, rel=0.05)
