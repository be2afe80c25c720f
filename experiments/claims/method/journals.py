"""The journals of an experiment's cells, as an analysis reads them.

Dimensions: S seeds, G generations, Q problems of a generation, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.record.reading import Contents, read_journal
from mgptn.experiments.record.rounds import JOURNAL, Round, rounds_in
from mgptn.experiments.running.grid import Cell
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

MEASURED = "measured"
"""Folder of the tables that were measured, beside those of the cells."""


@dataclass(frozen=True, slots=True)
class Results:
    """What was recorded in each cell."""

    folder: Path
    cells: tuple[Cell, ...]

    def of(self, **labels: str) -> list[Cell]:
        """Cells with these labels, in the order of seeds."""
        wanted = set(labels.items())
        return [cell for cell in self.cells if wanted <= set(cell.labels)]

    def values(self, label: str, **labels: str) -> list[str]:
        """The values of a label among cells with these labels, in the order of the cells."""
        found = (dict(cell.labels).get(label) for cell in self.of(**labels))
        return list(dict.fromkeys(value for value in found if value is not None))

    def rounds(self, cell: Cell) -> Iterator[Round]:
        """A cell's rounds, one at a time; however often, its journal is hashed once."""
        path = self.folder / cell.name / JOURNAL
        found = path.stat()
        return rounds_in(_checked(path, found.st_size, found.st_mtime_ns))

    def generations(self, cell: Cell, side: str = SELECTED) -> Iterator[Generation]:
        """A cell's generations, or those of one of its controls, one at a time."""
        for done in self.rounds(cell):
            yield next(one.generation for one in done.committed if one.arm == side)

    def stacked(
        self, of: Callable[[Generation], Floats], side: str = SELECTED, **labels: str
    ) -> Floats:
        """What is taken of each generation of the cells with these labels, float64 [S, G, ...].

        Parameters
        ----------
        side
            A name in `mgptn.experiments.config.arms.ARMS`: the run itself, or one of its controls.

        Raises
        ------
        KeyError
            If there is no such cell.
        """
        cells = self.of(**labels)
        if not cells:
            raise KeyError(f"labels: expected those of some cell, got {labels}")
        return np.stack([np.stack([of(g) for g in self.generations(c, side)]) for c in cells])

    def measured(self, name: str) -> pl.DataFrame:
        """A table that was measured, with its seed as a further column, seed by seed.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        found = {
            int(path.stem.rpartition("-seed")[2]): path
            for path in (self.folder / MEASURED).glob(f"{name}-seed*.parquet")
        }
        if not found:
            raise FileNotFoundError(f"{self.folder / MEASURED}: expected a table {name!r}")
        return pl.concat(
            pl.read_parquet(found[seed]).with_columns(seed=pl.lit(seed)) for seed in sorted(found)
        )


@lru_cache(maxsize=4096)
def _checked(path: Path, size: int, changed: int) -> Contents:
    """Where the records of a journal of this size and age are."""
    return read_journal(path)


def wrong_answers(generation: Generation) -> Floats:
    """1 where an answer is wrong, float64 [Q, M]; NaN where that is not known."""
    return by_problem(1.0 - generation.outcomes.verdict_values(), generation)


def accepted_answers(generation: Generation) -> Floats:
    """1 where an answer entered its author's context, float64 [Q, M]."""
    accepted = np.zeros(len(generation.outcomes))
    accepted[generation.accepted] = 1.0
    return by_problem(accepted, generation)


def by_problem(values: NDArray[np.float64] | NDArray[np.bool_], generation: Generation) -> Floats:
    """Values by answer, [A], as float64 [Q, M]."""
    return generation.by_problem(np.asarray(values, dtype=np.float64))
