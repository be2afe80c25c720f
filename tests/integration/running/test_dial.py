"""Compute as a dial: asked for less, a population spends less and errs more."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from mgptn.experiments.cli import main
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.record.rounds import read_rounds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

BUDGETS = (1, 4, 6)
PROBLEMS = 6000


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, ray_address: str) -> Path:
    """The bundled configuration under each budget; founders are trained first."""
    folder = tmp_path_factory.mktemp("dial")
    changes = (
        "population.generations=1",
        f"problems_per_generation={PROBLEMS}",
        "hosts.device=cpu",
        "hosts.watts=20",
    )
    settings = [part for change in changes for part in ("--set", change)]
    budgets = f"task.options.budget={','.join(map(str, BUDGETS))}"
    arguments = ["sweep", "dial", "--no-controls", "--vary", budgets]
    done = CliRunner().invoke(main, [*arguments, *settings, "--out", str(folder / "swept")])
    assert done.exit_code == 0, done.output
    return folder / "swept"


@pytest.fixture(scope="module")
def cells(swept: Path) -> pl.DataFrame:
    """A row a budget, cheapest first."""
    table = pl.read_parquet(swept / "sweep.parquet")
    return table.sort(pl.col("task.options.budget").cast(int))


def errors(folder: Path) -> tuple[Sequence[str], np.ndarray]:
    """The problems of a run, without their budgets, and the share of agents that err on each."""
    (done,) = read_rounds(folder)
    generation = next(one.generation for one in done.committed if one.arm == SELECTED)
    wrong: dict[str, list[bool]] = {}
    for outcome in generation.outcomes:
        wrong.setdefault(outcome.query.partition("@")[0], []).append(outcome.verdict is not True)
    return list(wrong), np.array([np.mean(one) for one in wrong.values()])


def test_less_is_spent_where_less_is_asked_for(cells: pl.DataFrame) -> None:
    """Exactly, in tokens and operations for all answers together."""
    right = 1.0 - cells["error_last"]
    for name in ("tokens_per_right_last", "flops_per_right_last"):
        spent = (cells[name] * right).to_list()
        assert spent == sorted(spent)
        assert spent[-1] > 1.2 * spent[0]
    assert (cells["joules_per_right_last"] > 0).all()


def test_who_is_asked_for_less_errs_more(swept: Path, cells: pl.DataFrame) -> None:
    """On the same problems; each step of the dial by an interval of the difference.

    The interval is the normal one of a mean over problems, 3.5 standard errors: that one of the
    two would exclude 0 by chance on the wrong side has a probability below 1e-3; seeds are fixed.
    """
    found = [errors(swept / name) for name in cells["cell"]]
    assert all(asked == found[0][0] for asked, _ in found)
    assert len(found[0][0]) == PROBLEMS
    for (_, cheap), (_, dear) in itertools.pairwise(found):
        difference = cheap - dear
        half = 3.5 * difference.std(ddof=1) / np.sqrt(PROBLEMS)
        assert difference.mean() - half > 0.0, (difference.mean(), half)
