"""What the journal holds of one generation of one arm, and its form as plain data."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from population.records import (
    Agent,
    AgentId,
    Birth,
    Example,
    Generation,
    Genome,
    Grade,
    Match,
    Outcome,
)

PHASES = ("forward", "answer", "grade", "select", "total")
"""Keys of a generation's `seconds`."""

COUNTERS = (
    "answer_requests",
    "grade_requests",
    "tokens_computed",
    "tokens_saved",
    "tokens_padded",
    "tiles",
    "host_restarts",
)
"""Keys of a generation's `counters`."""


@dataclass(frozen=True, slots=True)
class Committed:
    """One generation of one arm of a run, with what it cost.

    Attributes
    ----------
    arm
        Name of the arm: ``"selected"`` is the run itself, the others are its controls
        (``"neutral-drift"``, ``"random-selector"``, ``"unselected"``).
    generation
        What was seen and decided.
    seconds
        Wall time by phase: ``"forward"`` (hosts' model passes and sampling, summed over hosts),
        ``"answer"``, ``"grade"``, ``"select"`` (the driver's), ``"total"``.
    counters
        Work done by the hosts: ``"answer_requests"``, ``"grade_requests"``, ``"tokens_computed"``,
        ``"tokens_saved"`` (by prefix reuse), ``"tokens_padded"``, ``"tiles"``, ``"host_restarts"``.
    """

    arm: str
    generation: Generation
    seconds: dict[str, float]
    counters: dict[str, int]

    def to_plain(self) -> dict[str, Any]:
        """As nested dicts, lists, strings and numbers."""
        return {
            "arm": self.arm,
            "generation": asdict(self.generation),
            "seconds": dict(self.seconds),
            "counters": dict(self.counters),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Committed:
        """The inverse of `to_plain`, also after a round trip through msgpack."""
        g = plain["generation"]
        generation = Generation(
            index=g["index"],
            agents=tuple(_agent(a) for a in g["agents"]),
            outcomes=tuple(_outcome(o) for o in g["outcomes"]),
            scores=tuple(g["scores"]),
            accepted=tuple(g["accepted"]),
            fitness=tuple(g["fitness"]),
            rates=tuple(g["rates"]),
            births=tuple(
                Birth(
                    AgentId(b["child"]),
                    AgentId(b["parent"]),
                    tuple(b["mutations"]),
                    b.get("other_parent"),  # absent from journals before recombination
                )
                for b in g["births"]
            ),
            deaths=tuple(AgentId(d) for d in g["deaths"]),
            survivors=tuple(_agent(a) for a in g["survivors"]),
            digest=g["digest"],
        )
        return cls(plain["arm"], generation, dict(plain["seconds"]), dict(plain["counters"]))


def _agent(plain: dict[str, Any]) -> Agent:
    genome = plain["genome"]
    values = {field.name: plain[field.name] for field in fields(Agent)}
    values["genome"] = Genome(
        model=genome["model"],
        sampling_temperature=genome["sampling_temperature"],
        context=tuple(Example(e["query"], e["answer"]) for e in genome["context"]),
    )
    return Agent(**values)


def _outcome(plain: dict[str, Any]) -> Outcome:
    match = plain["match"]
    values = {field.name: plain[field.name] for field in fields(Outcome)}
    values["match"] = Match(
        author=AgentId(match["author"]),
        problem=match["problem"],
        graders=tuple(AgentId(g) for g in match["graders"]),
    )
    values["grades"] = tuple(
        Grade(
            grader=AgentId(g["grader"]),
            levels=None if g["levels"] is None else tuple(g["levels"]),
            value=g["value"],
        )
        for g in plain["grades"]
    )
    return Outcome(**values)
