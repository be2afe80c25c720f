"""What an experiment's cells cost: seconds and tokens by the journals' counters, and FLOPs."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.agents.checkpoints import count_parameters, find_checkpoint
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.config.topology import founders_models
from mgptn.experiments.record.rounds import RunRecord, joint_hash, read_rounds
from mgptn.experiments.running.grid import Cell


@dataclass(frozen=True, slots=True)
class Cost:
    """What a cell, or all of them, took.

    Attributes
    ----------
    seconds
        Of answering, grading and selecting, of all arms.
    tokens
        That went through a model. A tile that several cells need is counted once, in the first.
    flops
        2 × parameters × tokens of forward passes, and 6 × of those that are learned from;
        attention left out.
    """

    seconds: float
    tokens: int
    flops: float


SCHEMA = {
    "cell": pl.String,
    "seed": pl.Int64,
    "seconds": pl.Float64,
    "tokens": pl.Int64,
    "flops": pl.Float64,
    "population_hash": pl.String,
}
"""Columns of the table of costs, besides labels."""


def cell_table(folder: Path, cells: Sequence[Cell]) -> pl.DataFrame:
    """A row a cell: its labels, what it cost, and its population hash."""
    rows = []
    for cell in cells:
        record = RunRecord(folder / cell.name)
        work = [(c.seconds, c.counters) for done in record.rounds() for c in done.committed]
        tokens = sum(counters["tokens_computed"] for _, counters in work)
        learned = sum(counters.get("tokens_learned", 0) for _, counters in work)
        rows.append(
            {
                "cell": cell.name,
                "seed": cell.config.seed,
                **dict(cell.labels),
                "seconds": sum(seconds["total"] for seconds, _ in work),
                "tokens": tokens + learned,
                "flops": _parameters(cell.config) * (2.0 * tokens + 6.0 * learned),
                "population_hash": record.population_hash,
            }
        )
    return pl.DataFrame(rows, SCHEMA if not rows else None, infer_schema_length=None)


def total_cost(table: pl.DataFrame) -> Cost:
    """The cost of all rows of a table."""
    seconds, tokens, flops = (table[name].sum() for name in ("seconds", "tokens", "flops"))
    return Cost(float(seconds), int(tokens), float(flops))


def arm_flops(folder: Path, cell: Cell, arm: str = SELECTED) -> list[float]:
    """FLOPs of one arm of a cell, by generation."""
    rounds = (done.of(arm) for done in read_rounds(folder / cell.name))
    tokens = [one.counters["tokens_computed"] for one in rounds if one is not None]
    return [2.0 * _parameters(cell.config) * count for count in tokens]


def asked(cells: Sequence[Cell]) -> int:
    """Answers and grades that one arm of some cells asks of models, in all generations."""
    return sum(
        cell.config.population.size
        * cell.config.population.generations
        * cell.config.problems_per_generation
        * (1 + cell.config.protocol.graders)
        for cell in cells
        if cell.config.agents.model not in SCRIPTED_MODELS
    )


def hash_of_cells(table: pl.DataFrame) -> str:
    """One hash over the population hashes of all cells, in their order."""
    return joint_hash(table["population_hash"].to_list())


def _parameters(config: RunConfig) -> float:
    """Mean parameters of a run's founders; 0 where they have no model."""
    if config.agents.model in SCRIPTED_MODELS:
        return 0.0
    models = founders_models(config.agents.model, config.population.size)
    known = {name: count_parameters(find_checkpoint(name).folder) for name in set(models)}
    return sum(known[name] for name in models) / len(models)
