"""The journals of an experiment's cells, as an analysis reads them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.arms import SELECTED
from experiments.cells import Cell
from experiments.journal import read_journal
from experiments.session import JOURNAL, rounds_of
from population.generation import Generation
from population.measures import problem_errors

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Results:
    """What was recorded in each cell."""

    folder: Path
    cells: tuple[Cell, ...]

    def of(self, **labels: str) -> list[Cell]:
        """Cells with these labels; an underscore stands for the dots of a key's last part."""
        wanted = set(labels.items())
        return [cell for cell in self.cells if wanted <= _short(cell.labels)]

    def values(self, label: str) -> list[str]:
        """The values of a label, in the order of the cells."""
        found = [dict(_short(cell.labels)).get(label) for cell in self.cells]
        return list(dict.fromkeys(value for value in found if value is not None))

    def generations(self, cell: Cell) -> Iterator[Generation]:
        """A cell's generations, one at a time."""
        journal = read_journal(self.folder / cell.name / JOURNAL)
        for committed in rounds_of(journal.records):
            yield next(one.generation for one in committed if one.arm == SELECTED)

    def last(self, cell: Cell) -> Generation:
        """A cell's last generation."""
        *_, last = self.generations(cell)
        return last


def errors(cells: Sequence[Cell], results: Results) -> list[Floats]:
    """Gold error by generation and problem, float64 [G, Q], of each cell."""
    return [np.stack([problem_errors(g) for g in results.generations(cell)]) for cell in cells]


def last_errors(cells: Sequence[Cell], results: Results, tail: int = 1) -> Floats:
    """Gold error of each cell's problems in its last generations, float64 [C, tail · Q]."""
    return np.stack([found[-tail:].ravel() for found in errors(cells, results)])


def _short(labels: tuple[tuple[str, str], ...]) -> set[tuple[str, str]]:
    return {(key.rpartition(".")[2], value) for key, value in labels}
