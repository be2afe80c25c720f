"""Where a base model catches up, and claim 9's verdict."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mgptn.experiments.claims.elicit_or_create.analysis import READ, SAME, analyse, crossing
from mgptn.experiments.claims.elicit_or_create.measures import BASE, SIDES, WINNERS
from mgptn.experiments.config.arms import GREEDY, RANDOM, SELECTED
from mgptn.population.draws.streams import stream
from tests.measured import measured


def missed(base: float, selected: float) -> np.ndarray:
    return np.array([[(1.0 - p) ** READ for p in (base, selected, base)]])


@pytest.mark.parametrize(("base", "selected"), [(0.01, 0.05), (0.1, 0.9), (1e-4, 0.3)])
def test_the_base_catches_up_where_its_failures_are_rare(base: float, selected: float) -> None:
    found = 2.0 ** crossing(missed(base, selected))[0]
    behind = (1.0 - base) ** found - (1.0 - selected) ** found
    assert behind == pytest.approx(SAME, abs=0.01)
    assert (1.0 - base) ** (found / 2.0) - (1.0 - selected) ** (found / 2.0) > SAME


def test_a_base_that_is_never_behind_needs_no_attempts_and_one_that_never_passes_has_none() -> None:
    assert crossing(missed(0.3, 0.2))[0] == 0.0
    assert math.isnan(crossing(missed(0.0, 0.2))[0])


def founders(created: bool) -> pl.DataFrame:
    """Sums that founders never answer right, and agents that learned to half of the time."""
    rows = [
        {
            "seed": seed,
            "problem": problem,
            "size": 7,
            "answered": float(created and problem < 10 + seed % 2),
            "founders": 1e-9 if created else 0.5,
        }
        for seed in range(8)
        for problem in range(20)
    ]
    return pl.DataFrame(rows)


def tables(gain: float, impossible: bool, created: bool = False) -> dict[str, pl.DataFrame]:
    """Two exams; on the second the base can do half of the problems only, if so asked."""
    rng, samples = stream(0, "tables"), 1024
    rows: dict[str, list[dict]] = {"attempts": [], "probabilities": [], "winners": []}
    for seed in range(8):
        for exam in ("composition", "facts"):
            for problem in range(20):
                base = float(rng.uniform(0.3, 0.5))
                if impossible and exam == "facts" and problem % 2:
                    base = 0.0
                likeliest = {"seed": seed, "exam": exam, "side": GREEDY, "problem": problem}
                rows["attempts"].append(
                    {**likeliest, "samples": 1, "correct": int(problem % 5 < 2)}
                )
                for side in SIDES:
                    right = base if side != SELECTED else 0.6 if base == 0.0 else base + gain
                    at = {"seed": seed, "exam": exam, "side": side, "problem": problem}
                    correct = int(rng.binomial(samples, right))
                    rows["attempts"].append({**at, "samples": samples, "correct": correct})
                    rows["probabilities"].append({**at, "right": right})
    winners = {"arm": "facts", "answer": "12", "right": True, "log_probability": -1.0}
    rows["winners"] = [{"seed": s, **winners, "side": side} for s in range(8)
                       for side in (SELECTED, RANDOM)]  # fmt: skip
    frames = {name: pl.DataFrame(given) for name, given in rows.items()}
    assert set(WINNERS) <= set(frames["winners"].columns)
    return frames | {"founders": founders(created)}


def test_weights_that_answer_what_founders_cannot_have_created_it(tmp_path: Path) -> None:
    found = analyse(measured(tmp_path, tables(0.3, False, created=True)))
    assert found.verdict == "fails"
    told = "weights: right answers above the founders' pass@10,000, where that fails .525"
    assert any(told in sentence for sentence in found.why), found.why
    group = "Weights: fresh sums of the last size"
    # 10⁴ attempts at 1e-9 each.
    assert found.number(group, "founders: pass@10,000").value == pytest.approx(1e-5, rel=1e-3)


@pytest.mark.parametrize(
    ("gain", "impossible", "verdict", "why"),
    [
        (0.3, False, "holds", "composition: pass@1 above the base's"),
        (0.0, False, "fails", "composition: pass@1 above the base's"),
        (0.3, True, "fails", "facts: pass@10,000 above the base's, where that fails 1.0"),
    ],
)
def test_the_verdict_follows_the_tables(
    gain: float, impossible: bool, verdict: str, why: str, tmp_path: Path
) -> None:
    found = analyse(measured(tmp_path, tables(gain, impossible)))
    assert found.verdict == verdict, found.why
    assert any(why in sentence for sentence in found.why), found.why
    alone = found.number("Read from the logits", "facts: problems that only the population answers")
    assert alone.value == (0.5 if impossible else 0.0)
    assert (found.p < 0.05) == (gain > 0.0)
    first = found.number("pass@k", "composition: pass@1, base").value
    assert first == pytest.approx(0.4, abs=0.05)
    assert {f"facts, {side}" for side in (BASE, SELECTED, RANDOM)} <= set(found.curves)
