"""A run as five flat tables: derived from what was committed, written as Parquet.

Tables hold no clock time and no machine's name, so equal runs give equal tables.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

import polars as pl

from experiments.committed import COUNTERS, PHASES, Committed
from population.measures import Measures, offspring_numbers
from population.records import Generation
from protocols.scale import LEVELS

Row = dict[str, Any]
Schema = dict[str, pl.DataType]

_STRING, _INTEGER, _FLOAT, _TRUTH = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
_KINDS: dict[type, pl.DataType] = {int: _INTEGER, float: _FLOAT}
_KEY: Schema = {"arm": _STRING, "generation": _INTEGER}

SCHEMAS: dict[str, Schema] = {
    "generations": {
        **_KEY,
        **{name: _KINDS[kind] for name, kind in get_type_hints(Measures).items()},
        **{f"seconds_{phase}": _FLOAT for phase in PHASES},
        **dict.fromkeys(COUNTERS, _INTEGER),
    },
    "answers": {
        **_KEY,
        "index": _INTEGER,
        "author": _INTEGER,
        "problem": _INTEGER,
        "query": _STRING,
        "answer": _STRING,
        "finished": _TRUTH,
        "tokens": _INTEGER,
        "log_probability": _FLOAT,
        "verdict": _TRUTH,
        "score": _FLOAT,
        "grade_mean": _FLOAT,
        "accepted": _TRUTH,
    },
    "grades": {
        **_KEY,
        "index": _INTEGER,
        "author": _INTEGER,
        "problem": _INTEGER,
        "grader": _INTEGER,
        "value": _FLOAT,
        **{f"level_{level}": _FLOAT for level in range(1, len(LEVELS) + 1)},
        "verdict": _TRUTH,
    },
    "births": {
        **_KEY,
        "child": _INTEGER,
        "parent": _INTEGER,
        "other_parent": _INTEGER,
        "founder": _INTEGER,
        "mutations": pl.List(_STRING),
        "genome": _STRING,
    },
    "agents": {
        **_KEY,
        "slot": _INTEGER,
        "agent": _INTEGER,
        "parent": _INTEGER,
        "founder": _INTEGER,
        "born": _INTEGER,
        "genome": _STRING,
        "context": _INTEGER,
        "sampling_temperature": _FLOAT,
        "fitness": _FLOAT,
        "rate": _FLOAT,
        "offspring": _INTEGER,
    },
}
"""Columns of each table, in order.

`answers` and `grades` join on (arm, generation, index); `answers.author`, `grades.grader` and
`agents.agent` name the same agents. `agents` holds those that answered in the generation, with the
length of their context as they answered; `offspring` is the number of the generation's survivors
that descend from the agent, itself included where it survived. `births.genome` is null for a child
that died in the generation it was born in, and `births.other_parent` for one of a single parent.
What nobody could say is null; a measure that is undefined is NaN.
"""


def build_tables(
    committed: Iterable[Committed], measures: Mapping[tuple[str, int], Measures]
) -> dict[str, pl.DataFrame]:
    """The five tables of a run, in the order in which its generations were committed.

    Parameters
    ----------
    measures
        By arm and generation; one for each that was committed.

    Raises
    ------
    ValueError
        If a committed generation has no measures, or a phase or counter that has no column.
    """
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for one in committed:
        key = {"arm": one.arm, "generation": one.generation.index}
        found = measures.get((one.arm, one.generation.index))
        if found is None:
            raise ValueError(
                f"measures: expected those of generation {one.generation.index} of {one.arm!r}, "
                "got none"
            )
        parts = {
            "generations": [_generation_row(one, found)],
            "answers": _answer_rows(one.generation),
            "grades": _grade_rows(one.generation),
            "births": _birth_rows(one.generation),
            "agents": _agent_rows(one.generation),
        }
        for name, part in parts.items():
            rows[name].extend({**row, **key} for row in part)
    return {name: _frame(rows[name], schema) for name, schema in SCHEMAS.items()}


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write each table as ``<name>.parquet``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        write_whole(path, partial(table.write_parquet, compression="zstd"))
        paths.append(path)
    return paths


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then put it there: readers see the old or the new, whole."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Read what `write_tables` wrote.

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


def _frame(rows: list[Row], schema: Schema) -> pl.DataFrame:
    columns = {
        name: pl.Series(name, [row[name] for row in rows], dtype=dtype, strict=True)
        for name, dtype in schema.items()
    }
    return pl.DataFrame(columns)


def _generation_row(one: Committed, measures: Measures) -> Row:
    for label, given, known in (
        ("seconds", one.seconds.keys(), PHASES),
        ("counters", one.counters.keys(), COUNTERS),
    ):
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ValueError(f"{label}: expected only {', '.join(known)}, got {', '.join(unknown)}")
    return {
        **asdict(measures),
        **{f"seconds_{phase}": one.seconds.get(phase) for phase in PHASES},
        **{counter: one.counters.get(counter) for counter in COUNTERS},
    }


def _answer_rows(generation: Generation) -> list[Row]:
    accepted = set(generation.accepted)
    rows: list[Row] = []
    for index, (outcome, score) in enumerate(
        zip(generation.outcomes, generation.scores, strict=True)
    ):
        values = [grade.value for grade in outcome.grades if grade.value is not None]
        rows.append(
            {
                "index": index,
                "author": outcome.match.author,
                "problem": outcome.match.problem,
                "query": _storable(outcome.query),
                "answer": _storable(outcome.answer),
                "finished": outcome.finished,
                "tokens": outcome.tokens,
                "log_probability": outcome.log_probability,
                "verdict": outcome.verdict,
                "score": score,
                "grade_mean": sum(values) / len(values) if values else None,
                "accepted": index in accepted,
            }
        )
    return rows


def _storable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _grade_rows(generation: Generation) -> list[Row]:
    rows: list[Row] = []
    for index, outcome in enumerate(generation.outcomes):
        for grade in outcome.grades:
            levels = (None,) * len(LEVELS) if grade.levels is None else grade.levels
            if len(levels) != len(LEVELS):
                raise ValueError(f"levels: expected {len(LEVELS)} of a grade, got {len(levels)}")
            rows.append(
                {
                    "index": index,
                    "author": outcome.match.author,
                    "problem": outcome.match.problem,
                    "grader": grade.grader,
                    "value": grade.value,
                    **{f"level_{n}": level for n, level in enumerate(levels, start=1)},
                    "verdict": outcome.verdict,
                }
            )
    return rows


def _birth_rows(generation: Generation) -> list[Row]:
    founders = {agent.id: agent.founder for agent in generation.agents}
    genomes = {agent.id: agent.genome for agent in generation.survivors}
    rows: list[Row] = []
    for birth in generation.births:
        founders[birth.child] = founders[birth.parent]
        genome = genomes.get(birth.child)
        rows.append(
            {
                "child": birth.child,
                "parent": birth.parent,
                "other_parent": birth.other_parent,
                "founder": founders[birth.child],
                "mutations": list(birth.mutations),
                "genome": None if genome is None else genome.digest(),
            }
        )
    return rows


def _agent_rows(generation: Generation) -> list[Row]:
    offspring = offspring_numbers(generation)
    return [
        {
            "slot": slot,
            "agent": agent.id,
            "parent": agent.parent,
            "founder": agent.founder,
            "born": agent.born,
            "genome": agent.genome.digest(),
            "context": len(agent.genome.context),
            "sampling_temperature": agent.genome.sampling_temperature,
            "fitness": generation.fitness[slot],
            "rate": generation.rates[slot],
            "offspring": offspring[agent.id],
        }
        for slot, agent in enumerate(generation.agents)
    ]
