"""What the journal holds of one generation of one arm, and its form as plain data."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgptn.agents.texts import USAGE_COUNTS
from mgptn.experiments.record.packed_agents import (
    pack_births,
    pack_populations,
    unpack_births,
    unpack_populations,
)
from mgptn.experiments.record.packed_arrays import Plain, pack, unpack
from mgptn.population.records.agents import AgentId
from mgptn.population.records.generation import Generation
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.turns import Turns

PHASES = (
    "forward",
    "sampling",
    "transfer",
    "planner",
    "answer",
    "grade",
    "select",
    "learn",
    "total",
)
"""Keys of a generation's `seconds`."""

COUNTERS = (
    "answer_requests",
    "grade_requests",
    "tokens_computed",
    "tokens_saved",
    "tokens_padded",
    "slots_idle",
    "prefix_evictions",
    "tiles",
    "host_restarts",
    "learn_requests",
    "learn_refused",
    "tokens_learned",
)
"""Keys of a generation's `counters`."""

ENDPOINT_COUNTERS = USAGE_COUNTS
"""Further keys, of a generation that was asked of endpoints too."""


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
        Wall time by phase: ``"forward"`` (model passes), ``"sampling"`` and ``"transfer"`` (tokens
        to tensors and back) of the hosts, summed over them; ``"planner"``, which is part of
        ``"answer"`` and ``"grade"``; these two and ``"select"`` (the driver's), and ``"total"``.
    counters
        Work done by the hosts: ``"answer_requests"``, ``"grade_requests"``, ``"tokens_computed"``,
        ``"tokens_saved"`` (by prefix reuse), ``"tokens_padded"``, ``"slots_idle"`` (of the padded
        ones, those of slots without an answer to write), ``"prefix_evictions"``, ``"tiles"``,
        ``"host_restarts"``. Of endpoints, where there are some: ``"endpoint_requests"``,
        ``"endpoint_retries"``, ``"prompt_tokens"``, ``"completion_tokens"``, and
        ``"cost_millionths"`` by the configured prices.
    """

    arm: str
    generation: Generation
    seconds: dict[str, float]
    counters: dict[str, int]

    def to_plain(self) -> Plain:
        """As nested dicts, lists, strings, numbers and bytes."""
        generation = self.generation
        return {
            "arm": self.arm,
            "generation": {
                "index": generation.index,
                "populations": pack_populations((generation.agents, generation.survivors)),
                "outcomes": _pack_outcomes(generation.outcomes),
                **{name: pack(getattr(generation, name)) for name in _DECIDED},
                "births": pack_births(generation.births),
                "deaths": pack(np.array(generation.deaths, dtype=np.int64)),
                "digest": generation.digest,
                **({"size": generation.size} if generation.size else {}),
                **({"learned": list(generation.learned)} if generation.learned else {}),
            },
            "seconds": dict(self.seconds),
            "counters": dict(self.counters),
        }

    @classmethod
    def from_plain(cls, plain: Plain) -> Committed:
        """The inverse of `to_plain`, also after a round trip through msgpack."""
        g = plain["generation"]
        agents, survivors = unpack_populations(g["populations"])
        generation = Generation(
            index=g["index"],
            agents=agents,
            outcomes=_unpack_outcomes(g["outcomes"]),
            **{name: unpack(g[name]) for name in _DECIDED},
            births=unpack_births(g["births"]),
            deaths=tuple(AgentId(d) for d in unpack(g["deaths"]).tolist()),
            survivors=survivors,
            digest=g["digest"],
            size=g.get("size", 0),
            learned=tuple(g.get("learned", ())),
        )
        return cls(plain["arm"], generation, dict(plain["seconds"]), dict(plain["counters"]))


_DECIDED = ("scores", "accepted", "fitness", "rates")
_BY_ANSWER = (
    "answers",
    "finished",
    "tokens",
    "log_probabilities",
    "verdicts",
    "grades",
    "order_effects",
    "ratings",
)
_BY_TURN = ("answers", "kinds", "said", "finished", "verdicts", "values")


def _pack_outcomes(outcomes: Outcomes) -> Plain:
    matches = outcomes.matches
    return {
        "authors": pack(matches.authors),
        "problems": matches.problems,
        "graders": pack(matches.graders),
        "partners": pack(matches.partners),
        "queries": list(outcomes.queries),
        "texts": list(outcomes.texts),
        "levels": pack(outcomes.levels),
        "values": pack(outcomes.values),
        "masses": pack(outcomes.masses),
        **({"parts": pack(outcomes.parts)} if len(outcomes.parts) else {}),
        **{name: pack(getattr(outcomes, name)) for name in _BY_ANSWER},
        "turns": {
            "texts": list(outcomes.turns.texts),
            **{name: pack(getattr(outcomes.turns, name)) for name in _BY_TURN},
        },
    }


def _unpack_outcomes(plain: Plain) -> Outcomes:
    authors = unpack(plain["authors"]).astype(np.int64)
    graders, partners = (unpack(plain[name]) for name in ("graders", "partners"))
    turns = plain["turns"]
    return Outcomes(
        matches=Matches(authors, plain["problems"], graders, partners),
        turns=Turns(
            texts=tuple(turns["texts"]), **{name: unpack(turns[name]) for name in _BY_TURN}
        ),
        queries=tuple(plain["queries"]),
        texts=tuple(plain["texts"]),
        levels=unpack(plain["levels"]),
        values=unpack(plain["values"]),
        # Journals from before masses were read have none.
        **({"masses": unpack(plain["masses"])} if "masses" in plain else {}),
        # Written only where less than all of some answer counts.
        **({"parts": unpack(plain["parts"])} if "parts" in plain else {}),
        **{name: unpack(plain[name]) for name in _BY_ANSWER},
    )
