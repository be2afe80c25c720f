"""Tables as measurements leave them, for tests of what is made of them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from mgptn.experiments.claims.method.journals import MEASURED, Results


def measured(folder: Path, tables: Mapping[str, pl.DataFrame]) -> Results:
    """Results of an experiment without cells; tables have a column `seed`."""
    (folder / MEASURED).mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        for (seed,), rows in table.group_by("seed"):
            rows.drop("seed").write_parquet(folder / MEASURED / f"{name}-seed{seed}.parquet")
    return Results(folder, ())
