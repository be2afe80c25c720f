"""Columns of a run's eight flat tables, in order, with their types.

Tables hold no clock time and no machine's name, so equal runs give equal tables.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import get_type_hints

import polars as pl

from mgptn.experiments.costs.per_right import PER_RIGHT
from mgptn.experiments.record.committed import COST_COUNTERS, COUNTERS, ENDPOINT_COUNTERS, PHASES
from mgptn.experiments.tables.graders import GRADER_SCHEMAS
from mgptn.population.measures.generation_measures import Measures
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
        **dict.fromkeys((*COST_COUNTERS, *PER_RIGHT), _FLOAT),
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
