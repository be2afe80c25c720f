"""What a sweep says of neighbouring values: differences on the same problems, with intervals."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy
from rich.console import Console

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.rounds import read_rounds
from mgptn.experiments.running.sweep import Axes, cells_of, run_sweep

KEY = "agents.scripted.error"
VALUES = ("0.1", "0.3", "0.7")
BASE = check_config(
    {
        "name": "neighbours",
        "agents": {"model": "scripted", "scripted": {"adaptation": "none"}},
        "population": {"size": 5, "generations": 1},
        "problems_per_generation": 30,
        "metrics": {"port": 0},
    }
)


def swept(folder: Path, seeds: int) -> tuple[pl.DataFrame, str, np.ndarray]:
    """The table, what was printed, and the last generation's errors by value, seed and problem."""
    axes = Axes(seeds=seeds, further=((KEY, VALUES),))
    console = Console(file=StringIO(), width=400)
    options: dict[str, Any] = {"parallel": 4, "controls": False, "ray_address": None}
    paths = run_sweep(BASE, axes, folder, console, **options)
    assert folder / "neighbours.csv" in paths
    assert folder / "cost.png" not in paths  # nobody counted what scripted agents cost
    errors = {}
    for cell in cells_of(BASE, axes):
        *_, last = read_rounds(folder / cell.name)
        outcomes = next(one for one in last.committed if one.arm == SELECTED).generation.outcomes
        by_problem: dict[str, list[bool]] = {}
        for outcome in outcomes:
            by_problem.setdefault(outcome.query, []).append(not outcome.verdict)
        errors[dict(cell.labels)[KEY], cell.config.seed] = [
            np.mean(said) for said in by_problem.values()
        ]
    table = pl.read_csv(folder / "neighbours.csv", infer_schema_length=None)
    found = [[errors[value, seed] for seed in range(seeds)] for value in VALUES]
    return table, console.file.getvalue(), np.array(found)


@pytest.mark.parametrize("seeds", [1, 3])
def test_neighbours_differ_by_what_a_paired_test_says(seeds: int, tmp_path: Path) -> None:
    """Of several seeds by their means, of one by its problems: as scipy's paired t-test has it."""
    table, printed, errors = swept(tmp_path / "sweep", seeds)
    assert table.select("value", "next_value").rows() == [(0.1, 0.3), (0.3, 0.7)]
    units = errors.mean(axis=2) if seeds > 1 else errors[:, 0]
    for row, first, second in zip(table.to_dicts(), units[:-1], units[1:], strict=True):
        assert row["error"] == pytest.approx(first.mean())
        assert row["next_error"] == pytest.approx(second.mean())
        assert row["difference"] == pytest.approx((first - second).mean())
        interval = scipy.stats.ttest_rel(first, second).confidence_interval(0.95)
        assert row["difference_low"] == pytest.approx(interval.low)
        assert row["difference_high"] == pytest.approx(interval.high)
        assert (row["seeds"], row["problems"]) == (seeds, 30 * seeds)
    assert f"{KEY} 0.1 → 0.3" in printed
    assert ("by 3 seeds" if seeds > 1 else "by 30 problems") in printed


def test_what_was_not_varied_has_no_neighbours(tmp_path: Path) -> None:
    options: dict[str, Any] = {"parallel": 4, "controls": False, "ray_address": None}
    paths = run_sweep(BASE, Axes(seeds=2), tmp_path / "s", Console(quiet=True), **options)
    assert [path.name for path in paths] == ["sweep.parquet", "sweep.csv", "sweep.png"]
