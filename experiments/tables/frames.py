"""The rows that one commit has in each table."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from mgptn.experiments.costs.per_right import Cost, right_answers
from mgptn.experiments.record.committed import (
    COST_COUNTERS,
    COUNTERS,
    ENDPOINT_COUNTERS,
    PHASES,
    Committed,
)
from mgptn.experiments.tables.schemas import SCHEMAS
from mgptn.population.judging.aggregation import disagreement
from mgptn.population.measures.descent import children_slots, offspring_numbers
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.records.arrays import Floats, interned
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import NOBODY, Numbers, Population
from mgptn.population.records.turns import KINDS
from mgptn.protocols.scale import LEVELS


def generation_frame(one: Committed, measures: Measures) -> pl.DataFrame:
    """The row of a generation of an arm: what was measured, and what it cost."""
    counters = (*COUNTERS, *ENDPOINT_COUNTERS, *COST_COUNTERS)
    for label, given, known in (
        ("seconds", one.seconds.keys(), PHASES),
        ("counters", one.counters.keys(), counters),
    ):
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ValueError(f"{label}: expected only {', '.join(known)}, got {', '.join(unknown)}")
    row = {
        **asdict(measures),
        **{f"seconds_{phase}": one.seconds.get(phase) for phase in PHASES},
        **{counter: one.counters.get(counter) for counter in counters},
        **Cost.of(right_answers(measures.answers, measures.gold_error), one.counters).per_right,
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
    kinds = pl.Series(list(map(list, births.kinds)), dtype=pl.List(pl.String()))
    columns = {
        "child": births.children,
        "parent": births.parents,
        "other_parent": _somebody(births.other_parents),
        "founder": generation.agents.founders[children_slots(generation)],
        "mutations": kinds[births.mutations],
        "genome": _hexadecimal(survivors)[_where(births.children, survivors.ids)],
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
        "genome": _hexadecimal(agents),
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
            "arm": pl.Series([one.arm], dtype=pl.String()).new_from_index(
                0, len(generation.agents)
            ),
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
        "arm": pl.Series([one.arm], dtype=pl.String()).new_from_index(0, rows),
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


def _hexadecimal(agents: Population) -> pl.Series:
    """Each agent's genome's digest."""
    rows = np.ascontiguousarray(agents.digests())
    return pl.Series(list(map(bytes, rows)), dtype=pl.Binary).bin.encode("hex")


def _where(sought: Numbers, ids: Numbers) -> pl.Series:
    """The row of each among ids, each of which is there once; null of who is not there."""
    order = np.argsort(ids, kind="stable")
    rows = order[np.minimum(np.searchsorted(ids, sought, sorter=order), len(ids) - 1)]
    return pl.Series(rows).set(pl.Series(ids[rows] != sought), None)


def _of_few(texts: Iterable[str | None]) -> pl.Series:
    """A column of texts of which few are distinct."""
    distinct, places = interned(texts)
    return pl.Series(list(distinct), dtype=pl.String())[places]


def _unknown(rows: int) -> Floats:
    return np.full(rows, np.nan)


def _or_null(values: Floats) -> pl.Series:
    """Numbers, null where they are NaN: what nobody could say."""
    return pl.Series(np.ascontiguousarray(values, dtype=np.float64), nan_to_null=True)
