"""Tables as Parquet files, written part by part, and read back."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from mgptn.agents.files import write_whole
from mgptn.experiments.tables.schemas import SCHEMAS, Schema


def joined(name: str, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """A table of its parts, in order; empty where there is none."""
    return pl.concat([pl.DataFrame(schema=SCHEMAS[name]), *frames])


def write_table(name: str, frames: Iterable[pl.DataFrame], folder: Path) -> Path:
    """Write a table's parts, in order, as ``<name>.parquet``; one part at a time is in memory."""
    return write_parts(folder / f"{name}.parquet", SCHEMAS[name], frames)


def write_parts(path: Path, schema: Schema, frames: Iterable[pl.DataFrame]) -> Path:
    """Write the parts of a table, in order, as Parquet; one part at a time is in memory."""

    def parts(*pushed_down: object) -> Iterator[pl.DataFrame]:
        yield from frames

    table = register_io_source(parts, schema=schema)
    write_whole(path, partial(table.sink_parquet, compression="zstd"))
    return path


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Every table of a run, by name, as `write_results` left them.

    Raises
    ------
    FileNotFoundError
        If a table is missing, named.
    """
    tables: dict[str, pl.DataFrame] = {}
    for name in SCHEMAS:
        path = folder / f"{name}.parquet"
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected the table of {name}, got nothing")
        tables[name] = pl.read_parquet(path)
    return tables
