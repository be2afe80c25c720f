"""What parts of the weights recover, by made-up outcomes; and that frozen ones do stay."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.torch import load

from mgptn.experiments.claims.frozen_internals.analysis import MEASURES, analyse, quotient
from mgptn.experiments.claims.frozen_internals.measures import (
    ASKED,
    BASE,
    CHOSEN,
    EDGES,
    FULL,
    KNOWN,
    _lesson,
    _own_numbers,
    _pages,
    _shares,
    arms_of,
)
from mgptn.experiments.claims.method.calculators import Calculator
from mgptn.experiments.claims.method.claim import load_claim
from mgptn.population.draws.streams import stream
from tests.measured import measured

ARMS = [arm.name for arm in arms_of(2, (1, 2))]


def table(full: float, edges: float, problems: int = 100) -> pl.DataFrame:
    """Eight founders that answer .2 before; each arm has a good rate and a bad one."""
    rng = stream(0, "frozen table")
    rows = []
    for seed in range(8):
        for arm in (BASE, *ARMS):
            rate_of = {BASE: {0.0: 0.2}, FULL: {0.1: full, 0.2: 0.1}, EDGES: {0.1: 0.1, 0.2: edges}}
            for rate, right in rate_of.get(arm, {0.1: 0.4, 0.2: 0.1}).items():
                own = min(1.0, max(0.0, right + rng.normal(0.0, 0.02)))
                for exam in (CHOSEN, ASKED, KNOWN):
                    drawn = rng.random(problems) < own
                    rows.append(
                        pl.DataFrame(
                            {
                                "seed": seed, "arm": arm, "rate": rate, "exam": exam,
                                "problem": range(problems), "right": drawn,
                                "trained": 0.5, "changed": 0.5,
                            }
                        )
                    )  # fmt: skip
    return pl.concat(rows)


@pytest.mark.parametrize(
    ("full", "edges", "verdict", "why"),
    [
        (0.9, 0.88, "holds", "C, head and embeddings"),
        (0.9, 0.4, "fails", "C, head and embeddings"),
        (0.22, 0.21, "fails", "right with all weights"),
        (0.9, 0.76, "undecided", "C, head and embeddings"),
        (0.4, 0.4, "undecided", "right with all weights"),
    ],
)
def test_an_outcome_of_each_kind_has_its_verdict(
    tmp_path: Path, full: float, edges: float, verdict: str, why: str
) -> None:
    found = analyse(measured(tmp_path, {next(iter(MEASURES)): table(full, edges)}))
    assert found.verdict == verdict, found.why
    assert any(why in line for line in found.why)


def test_what_is_recovered_is_none_of_the_base_and_all_of_all_weights() -> None:
    means = np.array([[0.2, 0.2, 0.9], [0.9, 0.2, 0.9], [0.55, 0.2, 0.9], [0.1, 0.3, 0.3]])
    np.testing.assert_allclose(quotient(means), [0.0, 1.0, 0.5, np.nan])


def test_a_rate_is_chosen_by_other_problems_than_those_that_count(tmp_path: Path) -> None:
    """A rate that is best on what counts alone is not taken."""
    made = table(0.9, 0.5)
    cheating = (pl.col("arm") == EDGES) & (pl.col("rate") == 0.1) & (pl.col("exam") == ASKED)
    made = made.with_columns(right=pl.when(cheating).then(True).otherwise(pl.col("right")))
    found = analyse(measured(tmp_path, {next(iter(MEASURES)): made}))
    assert found.number("Recovered of what all weights learn", f"C, {EDGES} alone").value < 0.6


def test_only_the_named_parts_change_and_their_shares_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGPTN_CACHE", str(tmp_path))
    options = load_claim("frozen-internals").options("smoke")
    bench: Any = SimpleNamespace(seed=0, options=options, book=lambda tokens, flops: None)
    founder = Calculator(bench, options["founder"], 0)
    pages, own = _pages(founder, bench), _own_numbers(founder)
    arms = {arm.name: arm for arm in arms_of(1, ())}
    for name, within in ((EDGES, ("wte", "lm_head")), ("attention", (".attn.",)), (FULL, ("",))):
        _, content = founder.learned(_lesson(bench, pages, arms[name], 0.01))
        changed = load(content)
        assert changed
        assert all(any(part in parameter for part in within) for parameter in changed)
        trained, share = _shares(founder, content, arms[name], own)
        assert 0.0 < share <= trained <= 1.0
        assert trained == sum(t.numel() for t in changed.values()) / founder.parameters
