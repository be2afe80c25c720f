"""A data set folder as `datasets.load_dataset` reads it: Parquet, and a card that names the parts.

Written by polars alone; whoever reads it needs the library, and who writes it does not.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import polars as pl

from mgptn.experiments.config.yaml_reading import as_yaml
from mgptn.experiments.results.derive import write_in_one_pass
from mgptn.experiments.sharing.card import write_card
from mgptn.experiments.sharing.shared_tables import SHARED, shared_frames
from mgptn.experiments.sharing.source import Source

DEFAULT = "answers"


def write_dataset(source: Source, folder: Path) -> str:
    """Write the tables of a run with their card; a sentence about it.

    A table without a row is left out: a library cannot read a part without any.
    """
    paths = write_in_one_pass(folder, SHARED, map(shared_frames, source.rounds()))
    rows = {name: _rows(path) for name, path in paths.items()}
    for name, count in rows.items():
        if not count:
            paths[name].unlink()
    there = {name: count for name, count in rows.items() if count}
    write_card(folder, source, there, _header(source, there))
    configs = ", ".join(there)
    return f"a data set of {configs}; datasets.load_dataset reads it, {DEFAULT} by default"


def _header(source: Source, rows: dict[str, int]) -> str:
    """The card's YAML: what a hub shows, and which file is which part."""
    about = {
        "pretty_name": source.config.name,
        "tags": ["mgptn", "multi-agent", "evolution", "synthetic"],
        "size_categories": [_size(rows.get(DEFAULT, 0))],
        "configs": [
            {
                "config_name": name,
                "data_files": f"{name}.parquet",
                **({"default": True} if name == DEFAULT else {}),
            }
            for name in rows
        ],
    }
    return f"---\n{as_yaml(about)}---\n"


def _rows(path: Path) -> int:
    count: int = pl.scan_parquet(path).select(pl.len()).collect().item()
    return count


def _size(rows: int) -> str:
    """The hub's word for how many rows there are."""
    bounds = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")]
    return next((word for bound, word in bounds if rows < bound), "n>1M")
