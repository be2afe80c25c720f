"""What if selection had been another? As the page's slider asks."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from mgptn.experiments.record.rounds import Round
from mgptn.experiments.running.reselecting import (
    Changes,
    Reselection,
    effective_parents,
    lineages_left,
    reselected,
)
from mgptn.experiments.watching.lineages import founders_of
from mgptn.experiments.watching.rounds import Rounds
from mgptn.experiments.watching.watched import Watched, plain
from mgptn.population.records.generation import Generation

WORK, LEAST = 40_000, 1
"""Answers that are selected again for a reply; and generations of which that is done anyway."""

MOST = 64
"""Agents that are sent by name: of more, those with the highest fitness."""


def what_if(run: Watched, changes: Changes) -> dict[str, Any]:
    """Who would have lived, from what is on record alone.

    Raises
    ------
    ConfigError, ContradictionError
        As of `reselected`.
    """
    config = run.config
    most = max(LEAST, WORK // (config.population.size * config.problems_per_generation))
    found = reselected(config, _each(run.rounds, most), changes)
    return {
        "reached": len(found.generations),
        "more": not found.strangers and len(found.generations) < len(run.rounds),
        "total": len(run.rounds),
        "strangers": found.strangers,
        "agents": run.config.population.size,
        "generations": [
            _generation(again, as_run)
            for again, as_run in zip(found.generations, found.recorded, strict=True)
        ],
        "first": _agents(found) if found.generations else [],
    }


def _each(rounds: Rounds, most: int) -> Iterator[Round]:
    for index in range(min(len(rounds), most)):
        yield rounds[index]


def _generation(again: Generation, as_run: Generation) -> dict[str, Any]:
    return {
        "generation": again.index,
        **{
            name: {
                "largest": plain(float(one.rates.max())),
                "effective": plain(effective_parents(one.rates)),
                "lineages": lineages_left(one),
                "accepted": len(one.accepted),
                "founders": founders_of(one.survivors),
            }
            for name, one in (("again", again), ("recorded", as_run))
        },
    }


def _agents(found: Reselection) -> list[dict[str, Any]]:
    """Each agent of the first generation: fitness, rate and descendants, again and as recorded."""
    again, as_run = found.generations[0], found.recorded[0]
    order = np.argsort(-as_run.rates, kind="stable")[:MOST].tolist()
    tallies = [_living(one) for one in (again, as_run)]
    return [
        {
            "slot": slot,
            "agent": int(as_run.agents.ids[slot]),
            **{
                name: {
                    "fitness": plain(float(one.fitness[slot])),
                    "rate": plain(float(one.rates[slot])),
                    "living": living[int(one.agents.ids[slot])],
                }
                for name, one, living in zip(
                    ("again", "recorded"), (again, as_run), tallies, strict=True
                )
            },
        }
        for slot in order
    ]


def _living(one: Generation) -> Counter[int]:
    """Of each agent that answered: itself and who descends from it among the survivors."""
    births = one.births
    parents = dict(zip(births.children.tolist(), births.parents.tolist(), strict=True))

    def answered(agent: int) -> int:
        while agent in parents:  # a child of the same round may have had children in it
            agent = parents[agent]
        return agent

    return Counter(map(answered, one.survivors.ids.tolist()))
