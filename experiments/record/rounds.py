"""Rounds of a run: one generation of every arm, committed together."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mgptn.experiments.record.committed import Committed
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.measures.grader_measures import GraderMeasures
from mgptn.population.records.generation import Generation

JOURNAL = "journal.msgpack"


@dataclass(frozen=True, slots=True)
class Round:
    """One generation of every arm of a run, committed together, with its measures by arm."""

    committed: tuple[Committed, ...]
    measures: dict[str, Measures]
    graders: dict[str, tuple[GraderMeasures, ...]] = field(default_factory=dict)

    @property
    def index(self) -> int:
        """The generation."""
        return self.committed[0].generation.index

    def of(self, arm: str) -> Committed | None:
        """What an arm did in this round."""
        return next((c for c in self.committed if c.arm == arm), None)


def rounds_of(records: Iterable[dict[str, Any]]) -> Iterable[list[Committed]]:
    """The rounds among a journal's records."""
    for record in records:
        if record["kind"] == "generation":
            yield [Committed.from_plain(arm) for arm in record["arms"]]


def first_and_last(rounds: Iterable[Round]) -> list[Round]:
    """The ends of a run: two rounds, or one where there is one, or none."""
    ends: list[Round] = []
    for done in rounds:
        ends[1:] = [done]
    return ends


def generations_of(rounds: Sequence[Round], arm: str) -> list[Generation]:
    """An arm's generations in rounds."""
    return [c.generation for c in (r.of(arm) for r in rounds) if c is not None]


def population_hash(generations: Iterable[Generation]) -> str:
    """One hexadecimal hash of the whole course of a population."""
    return joint_hash(generation.digest for generation in generations)


def joint_hash(digests: Iterable[str]) -> str:
    """The population hash of generations with these digests."""
    content = hashlib.blake2b(digest_size=32, person=b"mgptn.run")
    for digest in digests:
        content.update(bytes.fromhex(digest))
    return content.hexdigest()
