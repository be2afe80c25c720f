"""What is measured beside cells: made once, on one ground, and carried on after a kill."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from mgptn.agents.hosts.fleet import NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.measuring import Bench, Ground, hash_of_table, measure_all
from mgptn.experiments.config.run_config import ConfigError

GROUND = Ground({"size": 3}, {}, "00")


class Counting:
    """A measurement that knows how often it was made, and may be killed at one of them."""

    def __init__(self, killed_at: int = -1) -> None:
        self.made, self.killed_at = 0, killed_at

    def __call__(self, bench: Bench) -> pl.DataFrame:
        if self.made == self.killed_at:
            raise KeyboardInterrupt
        self.made += 1
        return pl.DataFrame({"value": [bench.seed + i for i in range(bench.options["size"])]})


def measure(folder: Path, counting: Counting, ground: Ground = GROUND) -> pl.DataFrame:
    fleet = nullcontext(NoFleet(HostSettings("none", "")))
    results, console = Results(folder, ()), Console(quiet=True)
    return measure_all(
        {"first": counting, "second": counting}, results, ground, range(2), fleet, console
    )


def test_tables_are_made_once_for_every_seed(tmp_path: Path) -> None:
    counting = Counting()
    costs = measure(tmp_path, counting)
    assert costs["cell"].to_list() == ["first-seed0", "second-seed0", "first-seed1", "second-seed1"]
    assert counting.made == 4
    assert measure(tmp_path, counting).equals(costs)
    assert counting.made == 4
    table = Results(tmp_path, ()).measured("second")
    assert table.rows() == [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (3, 1)]
    assert costs["population_hash"][1] == hash_of_table(
        table.filter(pl.col("seed") == 0)[["value"]]
    )
    assert costs["tokens"].sum() == 0
    assert (costs["seconds"] >= 0.0).all()


def test_a_killed_measurement_is_carried_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, Counting(killed_at=3))
    rest = Counting()
    costs = measure(tmp_path, rest)
    assert rest.made == 1
    undisturbed = measure(tmp_path / "other", Counting())
    assert costs["population_hash"].equals(undisturbed["population_hash"])


@pytest.mark.parametrize(
    ("ground", "named"),
    [
        (Ground({"size": 4}, {}, "00"), r"options \{'size': 4\}, got .*\{'size': 3\}"),
        (Ground({"size": 3}, {"gpt-3": "ff"}, "00"), r"weights \{'gpt-3': 'ff'\}"),
        (Ground({"size": 3}, {}, "01"), "cells 01, got .* 00"),
    ],
)
def test_a_table_of_another_ground_is_not_kept(ground: Ground, named: str, tmp_path: Path) -> None:
    measure(tmp_path, Counting())
    with pytest.raises(ConfigError, match=f"first-seed0.json: expected {named}.*--out"):
        measure(tmp_path, Counting(), ground)


def test_a_hash_is_of_values_and_names() -> None:
    table = pl.DataFrame({"a": [1.0, 0.1]})
    assert hash_of_table(table) == hash_of_table(table.clone())
    others = (table.rename({"a": "b"}), table.reverse(), table + 1e-16 + 1e-15)
    assert len({hash_of_table(table), *map(hash_of_table, others)}) == 4


def test_a_table_that_was_not_measured_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a table 'third'"):
        Results(tmp_path, ()).measured("third")
