"""Self-training: the verdict of made-up errors of each kind, and what is looked at."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.self_training.analysis import ALONE, LEARNING, analyse
from mgptn.experiments.claims.self_training.answering import carries_through_nine, entropy
from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats

SEEDS, GENERATIONS, QUESTIONS = 8, 6, 40
ERRORS = {
    "none": 0.7,
    "none-accumulated": 0.4,
    "majority": 0.1,
    "coin": 0.7,
    "sampled": 0.4,
    "likeliest": 0.25,
}


class MadeUp(Results):
    """Arms with an error each, that of the majority's on rare problems being another."""

    errors: dict[str, float]
    rare: float
    distinct: float

    def stacked(self, of: Any, side: str = "selected", **labels: str) -> Floats:
        arm = labels["arm"]
        rng = stream(0, "made up", arm)
        found = np.zeros((SEEDS, GENERATIONS, QUESTIONS, 6))
        rare = np.arange(QUESTIONS) % 8 == 0
        error = np.full(QUESTIONS, self.errors.get(arm, 0.3))
        if arm == "majority":
            error[rare] += self.rare
        found[..., :3] = (rng.random((SEEDS, GENERATIONS, QUESTIONS)) < error)[..., None]
        found[..., 3] = 2.0 if arm == "sampled" else 2.0 - self.distinct
        found[..., 3] += rng.normal(0.0, 0.1, found.shape[:-1])
        found[..., 5] = rare
        return found


@pytest.mark.parametrize(
    ("errors", "rare", "distinct", "verdict", "why"),
    [
        ({}, 0.7, 0.5, "holds", "gain"),
        ({"none": 0.2}, 0.7, 0.5, "fails", "collapse"),
        ({"likeliest": 0.05}, 0.7, 0.5, "fails", "gain"),
        ({"coin": 0.05}, 0.7, 0.5, "fails", "coin"),
        ({"none-accumulated": 0.9}, 0.7, 0.5, "fails", "accumulation"),
        ({}, -0.4, 0.5, "fails", "tails"),
        ({}, 0.7, -0.5, "fails", "diversity"),
        ({"likeliest": 0.18}, 0.7, 0.5, "undecided", "gain"),
        ({}, 0.7, 0.0, "undecided", "diversity"),
    ],
)
def test_the_verdict_follows_the_errors(
    errors: dict[str, float],
    rare: float,
    distinct: float,
    verdict: str,
    why: str,
    tmp_path: Path,
) -> None:
    MadeUp.errors, MadeUp.rare, MadeUp.distinct = ERRORS | errors, rare, distinct
    found = analyse(MadeUp(tmp_path, ()))
    assert found.verdict == verdict, found.why
    assert any(sentence.startswith(why) or why in sentence for sentence in found.why), found.why
    assert set(found.curves) == {
        f"{p}: {a}" for p in ("error", "distinct") for a in LEARNING + ALONE
    }


@given(st.integers(100, 999), st.integers(100, 999))
def test_a_carry_through_a_nine_is_one_that_would_else_not_be(first: int, second: int) -> None:
    digits = [(first // 10**p % 10, second // 10**p % 10) for p in range(3)]
    carries = [(first % 10**p + second % 10**p) // 10**p for p in range(4)]
    through = any(sum(digits[p]) == 9 and carries[p] for p in range(3))
    assert carries_through_nine(f"{first}+{second}=") == through


def test_entropy_is_in_bits() -> None:
    assert entropy(np.array([1.0, 1.0, 1.0])) == 0.0
    assert entropy(np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(2.0)
    assert entropy(np.array([1.0, 1.0, 2.0])) == pytest.approx(0.9183, abs=1e-4)
