"""Neighbours along what a sweep varies: how much more one errs than the other, and for how much.

Dimensions: S seeds, Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.record.rounds import first_and_last, read_rounds
from mgptn.experiments.running.grid import Cell
from mgptn.population.intervals.spread import spread, t_interval
from mgptn.population.records.arrays import Floats

Canonical = Callable[[str], str]
"""The same text for all questions that are the same problem."""

SCHEMA: dict[str, pl.DataType] = {
    "key": pl.String(),
    "value": pl.String(),
    "next_value": pl.String(),
    "others": pl.String(),
    "seeds": pl.Int64(),
    "problems": pl.Int64(),
    "error": pl.Float64(),
    "next_error": pl.Float64(),
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
    "flops_per_answer": pl.Float64(),
    "next_flops_per_answer": pl.Float64(),
}
"""Columns of the table of neighbours."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last generation of a cell.

    Attributes
    ----------
    wrong
        Problem → the share of agents that erred on it, of those of which it is known.
    flops
        By the answer, with its grades and lessons; NaN where nobody counted.
    """

    wrong: Mapping[str, float]
    flops: float

    @property
    def error(self) -> float:
        """The mean over problems."""
        return float(np.mean([*self.wrong.values()]))

    @classmethod
    def of(cls, folder: Path, canonical: Canonical) -> Ended:
        """From its journal."""
        *_, last = first_and_last(read_rounds(folder))
        one = next(one for one in last.committed if one.arm == SELECTED)
        outcomes = one.generation.outcomes
        said: dict[str, list[float]] = defaultdict(list)
        for problem, right in zip(
            outcomes.matches.asked.tolist(), outcomes.verdict_values().tolist(), strict=True
        ):
            said[canonical(outcomes.queries[problem])].append(1.0 - right)
        known = {of: [w for w in some if w == w] for of, some in said.items()}
        wrong = {of: float(np.mean(some)) for of, some in known.items() if some}
        counted = one.counters.get("flops")
        return cls(wrong, counted / len(outcomes) if counted else float("nan"))


def neighbours_of(
    cells: Sequence[Cell], folder: Path, canonical: Mapping[str, Canonical]
) -> pl.DataFrame:
    """A row for each two neighbouring values of a key, all else being equal.

    The difference is the first one's error less the next one's: of several seeds with Student's
    interval by their own differences; of one seed by its problems', where both were asked the same.

    Parameters
    ----------
    canonical
        Of the task of each cell, by its name.
    """
    pairs = list(_pairs(cells))
    if not pairs:
        return pl.DataFrame(schema=SCHEMA)
    ended = _ended(cells, folder, canonical)
    rows = [
        _row(key, values, others, [(ended[a.name], ended[b.name]) for a, b in both])
        for key, values, others, both in pairs
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def points_of(
    cells: Sequence[Cell], folder: Path, canonical: Mapping[str, Canonical]
) -> pl.DataFrame:
    """A row a cell of a sweep that varies one key: what its last generation erred and cost."""
    ended = _ended(cells, folder, canonical)
    rows = [
        {
            "value": ", ".join(value for _, value in cell.labels),
            "others": _others(cell, *(key for key, _ in cell.labels)),
            "seed": cell.config.seed,
            "error": ended[cell.name].error,
            "flops_per_answer": ended[cell.name].flops,
        }
        for cell in cells
    ]
    return pl.DataFrame(rows)


def _ended(
    cells: Sequence[Cell], folder: Path, canonical: Mapping[str, Canonical]
) -> dict[str, Ended]:
    return {cell.name: Ended.of(folder / cell.name, canonical[cell.name]) for cell in cells}


def told(table: pl.DataFrame) -> Iterator[str]:
    """A line for each row."""
    for row in table.to_dicts():
        others = f" ({row['others']})" if row["others"] else ""
        by = f"{row['seeds']} seeds" if row["seeds"] > 1 else f"{row['problems']:,} problems"
        yield (
            f"{row['key']} {row['value']} → {row['next_value']}{others}: error "
            f"{row['error']:.4f} → {row['next_error']:.4f}, less by {row['difference']:.4f} "
            f"[{row['difference_low']:.4f}, {row['difference_high']:.4f}] by {by}; FLOPs an answer "
            f"{row['flops_per_answer']:.3g} → {row['next_flops_per_answer']:.3g}"
        )


Pairs = tuple[str, tuple[str, str], str, list[tuple[Cell, Cell]]]


def _pairs(cells: Sequence[Cell]) -> Iterator[Pairs]:
    """For each key, neighbouring values and setting of the others: the cells of all seeds."""
    for key in dict.fromkeys(key for cell in cells for key, _ in cell.labels):
        alike: dict[str, dict[int, dict[str, Cell]]] = defaultdict(lambda: defaultdict(dict))
        for cell in cells:
            seed = cell.config.seed
            alike[_others(cell, key)][seed][dict(cell.labels)[key]] = cell
        for others, seeds in alike.items():
            for values in itertools.pairwise(next(iter(seeds.values()))):
                pairs = [(by[values[0]], by[values[1]]) for by in seeds.values()]
                yield key, values, others, pairs


def _others(cell: Cell, *keys: str) -> str:
    """What a cell is beside some keys and its seed."""
    config = cell.config
    places = {
        "m": config.population.size,
        "selection": config.population.selection.temperature,
        "sampling": config.agents.sampling_temperature,
        **{other: value for other, value in cell.labels if other not in keys},
    }
    return ", ".join(f"{name} {value}" for name, value in places.items())


def _row(
    key: str, values: tuple[str, str], others: str, pairs: Sequence[tuple[Ended, Ended]]
) -> dict[str, str | int | float]:
    errors = np.array([[of.error for of in pair] for pair in pairs])
    flops = np.array([[of.flops for of in pair] for pair in pairs]).mean(axis=0).tolist()
    apart = errors[:, 0] - errors[:, 1]
    units = apart if len(pairs) > 1 else _by_problem(*pairs[0])
    found = spread(units) if len(units) > 1 else None
    low, high = (float("nan"),) * 2 if found is None else t_interval(found)
    error, following = errors.mean(axis=0).tolist()
    return {
        "key": key,
        "value": values[0],
        "next_value": values[1],
        "others": others,
        "seeds": len(pairs),
        "problems": sum(len(first.wrong) for first, _ in pairs),
        "error": error,
        "next_error": following,
        "difference": float(apart.mean()),
        "difference_low": low,
        "difference_high": high,
        "flops_per_answer": flops[0],
        "next_flops_per_answer": flops[1],
    }


def _by_problem(one: Ended, other: Ended) -> Floats:
    """Differences on each problem, float64 [Q]; nothing where problems are not the same."""
    if one.wrong.keys() != other.wrong.keys():
        return np.empty(0)
    return np.array([wrong - other.wrong[of] for of, wrong in one.wrong.items()])
