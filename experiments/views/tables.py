"""A run as eight flat tables: derived from what was committed, written as Parquet.

Tables hold no clock time and no machine's name, so equal runs give equal tables.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from mgptn.agents.files import write_whole
from mgptn.experiments.record.committed import COUNTERS, ENDPOINT_COUNTERS, PHASES, Committed
from mgptn.experiments.views.grader_tables import GRADER_SCHEMAS
from mgptn.population.judging.aggregation import disagreement
from mgptn.population.measures.descent import children_slots, offspring_numbers
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.records.arrays import Floats, interned
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import NOBODY, Numbers, Population
from mgptn.population.records.turns import KINDS
from mgptn.protocols.scale import LEVELS

Schema = dict[str, pl.DataType]

_STRING, _INTEGER, _FLOAT, _TRUTH = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
_KINDS: dict[type, pl.DataType] = {int: _INTEGER, float: _FLOAT}
_KEY: Schema = {"arm": _STRING, "generation": _INTEGER}

SCHEMAS: dict[str, Schema] = {
    "generations": {
        **_KEY,
        **{name: _KINDS[kind] for name, kind in get_type_hints(Measures).items()},
        **{f"seconds_{phase}": _FLOAT for phase in PHASES},
        **dict.fromkeys((*COUNTERS, *ENDPOINT_COUNTERS), _INTEGER),
    },
    "answers": {
        **_KEY,
        "index": _INTEGER,
        "author": _INTEGER,
        "problem": _INTEGER,
        "query": _STRING,
        "answer": _STRING,
        "counted": _STRING,
        "finished": _TRUTH,
        "tokens": _INTEGER,
        "log_probability": _FLOAT,
        "verdict": _TRUTH,
        "score": _FLOAT,
        "grade_mean": _FLOAT,
        "disagreement": _FLOAT,
        "rating": _FLOAT,
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
        "order_effect": _FLOAT,
        "verdict": _TRUTH,
    },
    "turns": {
        **_KEY,
        "index": _INTEGER,
        "turn": _INTEGER,
        "kind": _STRING,
        "text": _STRING,
        "finished": _TRUTH,
        "verdict": _TRUTH,
        "grade_mean": _FLOAT,
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
        "role": _STRING,
        "context": _INTEGER,
        "sampling_temperature": _FLOAT,
        "weights": _STRING,
        "weights_step": _STRING,
        "fitness": _FLOAT,
        "rate": _FLOAT,
        "offspring": _INTEGER,
    },
    **GRADER_SCHEMAS,
}
"""Columns of each table, in order.

`answers`, `grades` and `turns` join on (arm, generation, index); `turns` has what was said on the
way to an answer, in order, and the verdict of a critique is null, as any is that is not known.
`answers.author`, `grades.grader` and `agents.agent` name the same agents. `agents` holds those that
answered in the generation, with the length of their context as they answered; `offspring` is the
number of the generation's survivors that descend from the agent, itself included where it
survived; `weights` and `weights_step` are null where they are the model's own. `births.genome` is
null for a child that died in the generation it was born in, and `births.other_parent` for one of a
single parent. What nobody could say is null; a measure that is undefined is NaN.
"""


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


def generation_frame(one: Committed, measures: Measures) -> pl.DataFrame:
    """The row of a generation of an arm: what was measured, and what it cost."""
    for label, given, known in (
        ("seconds", one.seconds.keys(), PHASES),
        ("counters", one.counters.keys(), (*COUNTERS, *ENDPOINT_COUNTERS)),
    ):
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ValueError(f"{label}: expected only {', '.join(known)}, got {', '.join(unknown)}")
    row = {
        **asdict(measures),
        **{f"seconds_{phase}": one.seconds.get(phase) for phase in PHASES},
        **{counter: one.counters.get(counter) for counter in (*COUNTERS, *ENDPOINT_COUNTERS)},
    }
    return _frame("generations", one, {name: [value] for name, value in row.items()})


def answer_frame(one: Committed) -> pl.DataFrame:
    """A row for each answer of a generation of an arm."""
    generation, outcomes = one.generation, one.generation.outcomes
    asked, size = outcomes.matches.asked, len(outcomes)
    accepted = np.zeros(size, dtype=np.bool_)
    accepted[generation.accepted] = True
    columns = {
        "index": np.arange(size),
        "author": outcomes.matches.authors.repeat(outcomes.matches.problems),
        "problem": asked,
        "query": _texts(outcomes.queries)[asked],
        "answer": _texts(outcomes.texts)[outcomes.answers],
        "counted": _counted(outcomes),
        "finished": outcomes.finished,
        "tokens": outcomes.tokens,
        "log_probability": outcomes.log_probabilities,
        "verdict": _verdicts(outcomes),
        "score": _or_null(generation.scores),
        "grade_mean": _or_null(outcomes.mean_grades()),
        "disagreement": _or_null(disagreement(outcomes)),
        "rating": _or_null(outcomes.ratings if outcomes.ratings.size else _unknown(size)),
        "accepted": accepted,
    }
    return _frame("answers", one, columns)


def _verdicts(outcomes: Outcomes) -> pl.Series:
    """What is known of each answer; null where that is nothing."""
    verdicts = pl.Series(outcomes.verdicts)
    return verdicts.set(pl.Series(outcomes.unknown), None) if len(outcomes.unknown) else verdicts


def _counted(outcomes: Outcomes) -> pl.Series:
    """What counts of each answer; null where all of it does."""
    indices = outcomes.counted.astype(np.int64)
    parts = pl.Series(indices).set(pl.Series(indices == outcomes.answers), None)
    return _texts(outcomes.texts).gather(parts)


def grade_frame(one: Committed) -> pl.DataFrame:
    """A row for each grade of a generation of an arm."""
    outcomes = one.generation.outcomes
    distinct, matches = outcomes.levels, outcomes.matches
    if len(distinct) and distinct.shape[1] != len(LEVELS):
        raise ValueError(f"levels: expected {len(LEVELS)} of a grade, got {distinct.shape[1]}")
    each, grades = outcomes.grades.shape[1], outcomes.grades.ravel()
    effects = outcomes.order_effects
    levels = np.vstack([distinct.reshape(-1, len(LEVELS)), np.full(len(LEVELS), np.nan)])
    columns = {
        "index": np.arange(len(outcomes)).repeat(each),
        "author": matches.authors.repeat(matches.problems * each),
        "problem": matches.asked.repeat(each),
        "grader": matches.authors[matches.graders[:, :each]].ravel(),
        "value": _or_null(outcomes.grade_values().ravel()),
        **{f"level_{i}": _or_null(level[grades]) for i, level in enumerate(levels.T, start=1)},
        "order_effect": _or_null(effects.ravel() if effects.size else _unknown(len(grades))),
        "verdict": _verdicts(outcomes)[np.arange(len(outcomes)).repeat(each)],
    }
    return _frame("grades", one, columns)


def turn_frame(one: Committed) -> pl.DataFrame:
    """A row for each turn of a generation of an arm."""
    turns = one.generation.outcomes.turns
    if not len(turns):
        return pl.DataFrame(schema=SCHEMAS["turns"])
    first = np.searchsorted(turns.answers, turns.answers)
    columns = {
        "index": turns.answers,
        "turn": np.arange(len(turns)) - first,
        "kind": pl.Series(KINDS)[turns.kinds.astype(np.int64)],
        "text": _texts(turns.texts)[turns.said.astype(np.int64)],
        "finished": turns.finished,
        "verdict": pl.select(
            pl.when(pl.Series(turns.judged)).then(pl.Series(turns.verdicts))
        ).to_series(),
        "grade_mean": _or_null(turns.values),
    }
    return _frame("turns", one, columns)


def birth_frame(one: Committed) -> pl.DataFrame:
    """A row for each birth at the end of a generation of an arm."""
    generation, births = one.generation, one.generation.births
    survivors = generation.survivors
    genomes = dict(zip(survivors.ids.tolist(), _hexadecimal(survivors), strict=True))
    kinds = pl.Series(list(map(list, births.kinds)), dtype=pl.List(_STRING))
    columns = {
        "child": births.children,
        "parent": births.parents,
        "other_parent": _somebody(births.other_parents),
        "founder": generation.agents.founders[children_slots(generation)],
        "mutations": kinds[births.mutations],
        "genome": pl.Series(list(map(genomes.get, births.children.tolist())), dtype=_STRING),
    }
    return _frame("births", one, columns)


def agent_frame(one: Committed) -> pl.DataFrame:
    """A row for each agent that answered in a generation of an arm."""
    generation, agents = one.generation, one.generation.agents
    genomes, places = agents.columns, agents.places
    weights = [genomes.weights[place] for place in places.tolist()] if genomes.weights else []
    own = [None] * len(agents)
    columns = {
        "slot": np.arange(len(agents)),
        "agent": agents.ids,
        "parent": _somebody(agents.parents),
        "founder": agents.founders,
        "born": agents.born,
        "genome": pl.Series(_hexadecimal(agents), dtype=_STRING),
        "role": _of_few(agents.roles()),
        "context": genomes.lengths[places],
        "sampling_temperature": genomes.sampling_temperature[places],
        "weights": _of_few([w and w.digest() for w in weights] or own),
        "weights_step": _of_few([w and w.step for w in weights] or own),
        "fitness": _or_null(generation.fitness),
        "rate": generation.rates,
        "offspring": offspring_numbers(generation),
    }
    return _frame("agents", one, columns)


def descent_frame(one: Committed) -> pl.DataFrame:
    """Of `agent_frame`, whose descendants they are and how many they leave."""
    generation = one.generation
    return pl.DataFrame(
        {
            "arm": pl.Series([one.arm], dtype=_STRING).new_from_index(0, len(generation.agents)),
            "generation": np.full(len(generation.agents), generation.index),
            "founder": generation.agents.founders,
            "offspring": offspring_numbers(generation),
        }
    )


FRAMES: dict[str, Callable[[Committed], pl.DataFrame]] = {
    "answers": answer_frame,
    "grades": grade_frame,
    "turns": turn_frame,
    "births": birth_frame,
    "agents": agent_frame,
}
"""What each table has of one commit, but those of measures."""


def _frame(name: str, one: Committed, columns: Mapping[str, Any]) -> pl.DataFrame:
    """Columns with the key of their commit, by the table's schema."""
    rows = len(next(iter(columns.values())))
    everything = {
        **columns,
        "arm": pl.Series([one.arm], dtype=_STRING).new_from_index(0, rows),
        "generation": np.full(rows, one.generation.index, dtype=np.int64),
    }
    return pl.DataFrame(
        {
            label: pl.Series(label, everything[label]).cast(dtype)
            for label, dtype in SCHEMAS[name].items()
        }
    )


def _texts(texts: Sequence[str]) -> pl.Series:
    """Texts with lone surrogates, which UTF-8 cannot hold, written as escapes."""
    storable = [text.encode("utf-8", "backslashreplace").decode("utf-8") for text in texts]
    return pl.Series(storable, dtype=pl.String)


def _somebody(agents: Numbers) -> pl.Series:
    """Agents by number, null where there is nobody."""
    return pl.select(pl.when(pl.Series(agents != NOBODY)).then(pl.Series(agents))).to_series()


def _hexadecimal(agents: Population) -> list[str]:
    """Each agent's genome's digest."""
    return list(map(bytes.hex, map(bytes, agents.digests())))


def _of_few(texts: Iterable[str | None]) -> pl.Series:
    """A column of texts of which few are distinct."""
    distinct, places = interned(texts)
    return pl.Series(list(distinct), dtype=_STRING)[places]


def _unknown(rows: int) -> Floats:
    return np.full(rows, np.nan)


def _or_null(values: Floats) -> pl.Series:
    """Numbers, null where they are NaN: what nobody could say."""
    return pl.Series(np.ascontiguousarray(values, dtype=np.float64), nan_to_null=True)
