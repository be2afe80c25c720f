"""Ways of grading held against each other on the same answers, and conversations shown again."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config
from mgptn.experiments.studies.comparing import (
    WAYS,
    Graded,
    compare,
    comparison_table,
    reliability,
    run_comparison,
)
from mgptn.population.measures.rates import auc

LADDERS = [way for way in WAYS if way != "correct"]
"""Ways that the ladder has words for."""


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return check_config(
        {
            "name": "ways",
            "task": {"name": "composition", "size": 1},
            "problems_per_generation": 24,
            "population": {"size": 4},
            "protocol": {"graders": 2},
        }
    )


@pytest.fixture(scope="module")
def graded(config: RunConfig) -> list[Graded]:
    return compare(config)


def test_every_way_grades_the_same_answers(graded: list[Graded]) -> None:
    assert [one.way for one in graded] == LADDERS
    for one in graded:
        assert np.array_equal(one.verdicts, graded[0].verdicts)
        assert one.values.shape == (4 * 24, 1 if one.way == "self" else 2)
    assert 0 < graded[0].verdicts.mean() < 1


def test_logits_say_more_than_one_word_sampled_from_them(graded: list[Graded]) -> None:
    ways = {one.way: one for one in graded}

    def area(way: str) -> float:
        one = ways[way]
        return auc(one.values.T, np.broadcast_to(one.verdicts, one.values.T.shape))

    assert area("words") > area("sampled words") > 0.5
    assert set(np.unique(ways["sampled words"].values)) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert np.isnan(ways["sampled digits"].values).all()  # the ladder writes none
    assert math.isfinite(ways["pairwise"].position_bias)
    assert area("likelihood") > 0.5, "a right answer is likelier after its question than after none"


def test_digits_are_hardly_what_the_ladder_would_say(graded: list[Graded]) -> None:
    mass = {one.way: one.option_mass for one in graded}
    assert min(mass["words"], mass["pairwise"], mass["self"]) > 0.99
    assert mass["digits"] < 0.1
    assert math.isnan(mass["sampled words"])
    assert math.isnan(mass["likelihood"])


def test_the_table_has_each_statistic_inside_its_interval(
    graded: list[Graded], config: RunConfig
) -> None:
    table = comparison_table(graded, config.protocol.threshold)
    assert table["way"].to_list() == LADDERS
    for row in table.iter_rows(named=True):
        for name in ("tpr", "fpr", "j", "auc", "brier"):
            if not math.isnan(row[name]):
                assert row[f"{name}_low"] - 1e-9 <= row[name] <= row[f"{name}_high"] + 1e-9
    unread = dict(zip(table["way"], table["unreadable"], strict=True))
    assert (unread["sampled digits"], unread["words"]) == (1.0, 0.0)
    assert comparison_table(graded, 0.6).equals(table, null_equal=True)


def test_reliability_counts_every_grade_once(graded: list[Graded]) -> None:
    curve = reliability(graded)
    for one in graded:
        points = curve.filter(pl.col("way") == one.way)
        assert points["grades"].sum() == int(np.isfinite(one.values).sum())
        right = float((points["right"] * points["grades"]).sum())
        assert right == pytest.approx(one.verdicts @ np.isfinite(one.values).sum(axis=1))


@pytest.mark.slow
def test_a_comparison_is_printed_and_written(config: RunConfig, tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=80)
    paths = run_comparison(config, tmp_path / "out", console)
    assert [path.name for path in paths] == [
        "comparison.parquet",
        "reliability.parquet",
        "reliability.png",
    ]
    assert all(path.stat().st_size > 0 for path in paths)
    assert all(way in console.file.getvalue() for way in LADDERS)  # type: ignore[attr-defined]
    agents = config.agents.model_copy(update={"model": "scripted"})
    with pytest.raises(ConfigError, match="expected a model whose grades can be read"):
        run_comparison(config.model_copy(update={"agents": agents}), tmp_path / "none", console)


@pytest.fixture(scope="module")
def debate(write_run: Callable[..., Path], small: Any, tmp_path_factory: Any) -> Path:
    config = small({"protocol.name": "critique-revise", "population.generations": 1})
    return write_run(config, tmp_path_factory.mktemp("shown") / "run")


def shown(folder: Path, *options: object) -> Any:
    return CliRunner().invoke(main, ["transcript", str(folder), *map(str, options)])


def test_a_conversation_is_shown_as_it_went(debate: Path) -> None:
    lines = shown(debate, "--answer", 2).stdout.splitlines()
    assert lines[0].startswith("generation 0, problem 2: ")
    assert [line.split()[0] for line in lines[1:]] == [
        "draft",
        "critique",
        "answer",
        *["grade"] * 2,
    ]
    assert "graded " in lines[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--answer", 99), "--answer: expected 0 to 15 in this generation, got 99"),
        (("--generation", 5), "--generation: expected 0 to 0 of this run, got 5"),
        (("--arm", "neutral"), "--arm: expected one of selected, got 'neutral'"),
    ],
)
def test_what_is_not_there_is_named(
    debate: Path, options: tuple[object, ...], message: str
) -> None:
    done = shown(debate, *options)
    assert done.exit_code == 1
    assert message in done.output
