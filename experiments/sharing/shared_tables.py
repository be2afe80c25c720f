"""The tables that are passed on of a run, and what each has of one round."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mgptn.experiments.record.committed import Committed
from mgptn.experiments.tables.frames import FRAMES, generation_frame
from mgptn.experiments.tables.schemas import SCHEMAS, Schema
from mgptn.experiments.views.measured import MeasuredRound
from mgptn.population.records.agents import Agent, Birth

SAID = ("answers", "grades", "turns")

SHARED: dict[str, Schema] = {
    "answers": SCHEMAS["answers"],
    "grades": SCHEMAS["grades"],
    "generations": SCHEMAS["generations"],
    "lineage": {
        "arm": pl.String(),
        "agent": pl.Int64(),
        "parent": pl.Int64(),
        "other_parent": pl.Int64(),
        "founder": pl.Int64(),
        "born": pl.Int64(),
        "mutations": pl.List(pl.String()),
        "genome": pl.String(),
        "model": pl.String(),
        "role": pl.String(),
        "persona": pl.String(),
        "sampling_temperature": pl.Float64(),
        "context": pl.Int64(),
        "weights": pl.String(),
    },
    "turns": SCHEMAS["turns"],
}
"""Columns of each shared table, in order. `lineage` has everybody who ever lived, once."""


def shared_frames(done: MeasuredRound) -> dict[str, pl.DataFrame]:
    """What each of `SHARED` has of a round, all arms one after another."""
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in SHARED}
    for one in done.committed:
        for name in SAID:
            parts[name].append(FRAMES[name](one))
        parts["generations"].append(generation_frame(one, done.measures[one.arm]))
        parts["lineage"].append(lineage_frame(one))
    return {
        name: pl.concat([pl.DataFrame(schema=SHARED[name]), *frames])
        for name, frames in parts.items()
    }


def lineage_frame(one: Committed) -> pl.DataFrame:
    """Who came to life in a generation of an arm: its births, and in the first the founders."""
    generation = one.generation
    living = {agent.id: agent for agent in generation.survivors}
    founders = {agent.id: agent.founder for agent in generation.agents}
    rows = []
    if generation.index == 0:
        rows += [_row(one.arm, agent, ()) for agent in generation.agents]
    for birth in generation.births:
        founders[birth.child] = founders[birth.parent]
        child = living.get(birth.child)
        if child is not None:
            rows.append(_row(one.arm, child, birth.mutations, birth.other_parent))
        else:
            rows.append(_gone(one.arm, birth, founders[birth.child], generation.index))
    return pl.DataFrame(rows, schema=SHARED["lineage"])


def _row(
    arm: str, agent: Agent, mutations: Sequence[str], other_parent: int | None = None
) -> dict[str, object]:
    genome = agent.genome
    return {
        "arm": arm,
        "agent": agent.id,
        "parent": agent.parent,
        "other_parent": other_parent,
        "founder": agent.founder,
        "born": agent.born,
        "mutations": list(mutations),
        "genome": genome.digest(),
        "model": genome.model,
        "role": genome.role,
        "persona": genome.persona,
        "sampling_temperature": genome.sampling_temperature,
        "context": len(genome.context),
        "weights": None if genome.weights is None else genome.weights.digest(),
    }


def _gone(arm: str, birth: Birth, founder: int, born: int) -> dict[str, object]:
    """A child that did not live to the end of its generation, of whom no genome is known."""
    known: dict[str, object] = dict.fromkeys(SHARED["lineage"])
    return known | {
        "arm": arm,
        "agent": birth.child,
        "parent": birth.parent,
        "other_parent": birth.other_parent,
        "founder": founder,
        "born": born,
        "mutations": list(birth.mutations),
    }
