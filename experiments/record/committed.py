"""What the journal holds of one generation of one arm, and its form as plain data."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mgptn.agents.texts import USAGE_COUNTS
from mgptn.experiments.record.drawing_again import OWN, SEED, drawn_graders
from mgptn.experiments.record.fields import Fields, Shape
from mgptn.experiments.record.packed_agents import (
    pack_births,
    pack_populations,
    unpack_births,
    unpack_populations,
)
from mgptn.experiments.record.packed_arrays import Plain, pack
from mgptn.experiments.record.picked import Picked
from mgptn.population.records.agents import AgentId
from mgptn.population.records.arrays import ALL_KNOWN, Integers, Truths
from mgptn.population.records.generation import Generation
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import Population
from mgptn.population.records.turns import KINDS, Turns

PHASES = (
    "forward",
    "sampling",
    "transfer",
    "planner",
    "answer",
    "grade",
    "verify",
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
    "verdicts_asked",
)
"""Keys of a generation's `counters`."""

COST_COUNTERS = ("flops", "energy_millijoules")
"""Further keys, where a model was asked, and where somebody knows how much energy that took."""

NOT_KEPT = "(not kept)"
"""Stands for a text that was dropped from a journal."""

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
        ``"answer"`` and ``"grade"``; these two, ``"verify"`` (verdicts, and programs run for a
        protocol) and ``"select"`` (the driver's), and ``"total"``.
    counters
        Work done by the hosts: ``"answer_requests"``, ``"grade_requests"``, ``"tokens_computed"``,
        ``"tokens_saved"`` (by prefix reuse), ``"tokens_padded"``, ``"slots_idle"`` (of the padded
        ones, those of slots without an answer to write), ``"prefix_evictions"``, ``"tiles"``,
        ``"host_restarts"``; ``"verdicts_asked"`` of the task's verifier, those that an arm was the
        first to need; where a model was asked ``"flops"``, and where it is known
        ``"energy_millijoules"``. Of endpoints, where there are some: ``"endpoint_requests"``,
        ``"endpoint_retries"``, ``"prompt_tokens"``, ``"completion_tokens"``, and
        ``"cost_millionths"`` by the configured prices.
    picked
        What people picked, where several do; empty where nobody was asked on a page.
    """

    arm: str
    generation: Generation
    seconds: dict[str, float]
    counters: dict[str, int]
    picked: Picked = field(default_factory=Picked)

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
            **({"picked": self.picked.to_plain()} if self.picked.keys else {}),
        }

    @classmethod
    def from_plain(cls, plain: Plain | Fields, before: Population | None = None) -> Committed:
        """The inverse of `to_plain`, also after a round trip through msgpack.

        Parameters
        ----------
        before
            Survivors of the arm's generation before: a record that has been made compact names
            those who answered as these.

        Raises
        ------
        RecordError
            If it is not as `to_plain` writes it: names the field, what was expected, what was got.
        """
        whole = plain if isinstance(plain, Fields) else Fields(plain)
        g = whole.section("generation")
        populations = g.section("populations")
        if before is not None and len(populations.several("sizes")) == 1:
            agents, (survivors,) = before, unpack_populations(populations, 1)
        else:
            agents, survivors = unpack_populations(populations, 2)
        outcomes = _unpack_outcomes(g.section("outcomes"), agents, g.whole("index"))
        if len(survivors) != len(agents):
            raise g.wrong("populations.sizes", f"{len(agents)} survivors", len(survivors))
        each, answers = (len(agents),), (len(outcomes),)
        generation = Generation(
            index=g.whole("index"),
            agents=agents,
            outcomes=outcomes,
            scores=g.floats("scores", answers),
            accepted=g.places("accepted", (None,), len(outcomes)),
            fitness=g.floats("fitness", each),
            rates=g.floats("rates", each),
            births=unpack_births(g.section("births")),
            deaths=tuple(AgentId(d) for d in g.integers("deaths", (None,)).tolist()),
            survivors=survivors,
            digest=g.hashed("digest"),
            size=g.whole("size") if "size" in g else 0,
            learned=_learned(g, len(agents)) if "learned" in g else (),
        )
        seconds, counters = whole.numbers("seconds", float), whole.numbers("counters", int)
        picked = Picked()
        if "picked" in whole:  # written only where people were asked
            picked = Picked.from_plain(whole.section("picked"), len(outcomes))
        return cls(whole.text("arm"), generation, seconds, counters, picked)


def _learned(generation: Fields, agents: int) -> tuple[str | None, ...]:
    """What each agent's weights ended with after learning."""
    found = generation.several("learned")
    if len(found) != agents:
        raise generation.wrong("learned", f"{agents} hashes, one an agent", f"{len(found)}")
    for i, one in enumerate(found):
        if one is not None and not isinstance(one, str):
            raise generation.wrong(f"learned[{i}]", "a hash or nothing", one)
    return tuple(found)


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
        **_pack_unknown(outcomes),
        **{name: pack(getattr(outcomes, name)) for name in _BY_ANSWER},
        "turns": {
            "texts": list(outcomes.turns.texts),
            **{name: pack(getattr(outcomes.turns, name)) for name in _BY_TURN},
            **_pack_unknown(outcomes.turns),
        },
    }


def _pack_unknown(of: Outcomes | Turns) -> Plain:
    """Which have no verdict; written only where that is so of some."""
    return {"unknown": pack(of.unknown)} if len(of.unknown) else {}


def _unknown(plain: Fields, verdicts: Truths) -> Truths:
    if "unknown" not in plain:
        return ALL_KNOWN
    found = plain.truths("unknown", verdicts.shape)
    if (found & verdicts).any():
        raise plain.wrong("unknown", "answers that are not called right", "one that is")
    return found


def _unpack_outcomes(plain: Fields, agents: Population, index: int) -> Outcomes:
    authors = agents.ids
    if "authors" in plain:  # a compact record has none: it would say the same again
        told = plain.integers("authors", (None,))
        if not np.array_equal(told, authors):
            raise plain.wrong("authors", f"the ids of the {len(agents)} agents", told)
    queries, texts = plain.texts("queries"), _texts(plain, "texts")
    problems, peers = plain.whole("problems", low=1), len(authors)
    if len(queries) != problems or not peers:
        raise plain.wrong("queries", f"{problems} texts, of at least one agent", len(queries))
    each = (peers * problems,)
    by_seat = (*each, None)
    values = plain.floats("values", (None,))
    distinct = len(values)
    grades = plain.places("grades", by_seat, distinct, low=-1)
    further: dict[str, Any] = {}
    if "masses" in plain:  # journals from before masses were read have none
        further["masses"] = plain.floats("masses", _or_none(plain, "masses", (distinct,)))
    if "parts" in plain:  # written only where less than all of some answer counts
        further["parts"] = plain.places("parts", each, len(texts))
    verdicts = plain.truths("verdicts", each)
    return Outcomes(
        matches=Matches(
            authors,
            problems,
            _graders(plain, (peers, problems), grades.shape[1], index),
            plain.places("partners", _or_none(plain, "partners", by_seat), peers),
        ),
        turns=_unpack_turns(plain.section("turns"), *each),
        queries=queries,
        texts=texts,
        levels=plain.floats("levels", (distinct, None if distinct else 0)),
        values=values,
        **further,
        answers=plain.places("answers", each, len(texts)),
        finished=plain.truths("finished", each),
        tokens=plain.integers("tokens", each),
        log_probabilities=plain.floats("log_probabilities", each),
        verdicts=verdicts,
        unknown=_unknown(plain, verdicts),
        grades=grades,
        order_effects=plain.floats("order_effects", _or_none(plain, "order_effects", by_seat)),
        ratings=plain.floats("ratings", _or_none(plain, "ratings", each)),
    )


def _graders(plain: Fields, matches: tuple[int, int], seats: int, index: int) -> Integers:
    """Who grades whom: as it stands there or, of a compact record, drawn again as it was."""
    peers, problems = matches
    drawn = plain.section("graders")
    if SEED not in drawn:
        return plain.places("graders", (peers * problems, None), peers)
    own = drawn.whole(OWN, high=1)
    if not 1 <= seats - own <= peers - 1:
        raise drawn.wrong(OWN, f"1 to {peers - 1} others in {seats} seats", own)
    return drawn_graders(drawn.whole(SEED), index, matches, seats - own, own=bool(own))


def _texts(plain: Fields, name: str) -> tuple[str, ...]:
    """Texts, of which a compact record may have dropped some."""
    several = plain.several(name)
    if None not in several:
        return plain.texts(name)
    whole = {name: [NOT_KEPT if text is None else text for text in several]}
    return Fields(whole, plain.place("")).texts(name)


def _or_none(plain: Fields, name: str, shape: Shape) -> Shape:
    """The shape of a column that may be there, or of one that is empty."""
    nothing = (0,) * len(shape)
    return nothing if plain.section(name).several("shape") == list(nothing) else shape


def _unpack_turns(plain: Fields, answers: int) -> Turns:
    texts, spoken = _texts(plain, "texts"), plain.places("answers", (None,), answers)
    each = (len(spoken),)
    if (np.diff(spoken.astype(np.int64)) < 0).any():
        raise plain.wrong("answers", "indices that ascend", "others")
    verdicts = plain.truths("verdicts", each)
    return Turns(
        texts=texts,
        answers=spoken,
        kinds=plain.places("kinds", each, len(KINDS)),
        said=plain.places("said", each, len(texts)),
        finished=plain.truths("finished", each),
        verdicts=verdicts,
        unknown=_unknown(plain, verdicts),
        values=plain.floats("values", each),
    )
