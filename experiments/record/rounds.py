"""Rounds of a run, one generation of every arm each, as its journal holds them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.reading import Contents, Damage, Frames, unpack
from mgptn.population.records.generation import Generation

JOURNAL = "journal.msgpack"


@dataclass(frozen=True, slots=True)
class Round:
    """One generation of every arm of a run, committed together."""

    committed: tuple[Committed, ...]

    @property
    def index(self) -> int:
        """The generation."""
        return self.committed[0].generation.index

    def of(self, arm: str) -> Committed | None:
        """What an arm did in this round."""
        return next((c for c in self.committed if c.arm == arm), None)

    def to_plain(self) -> dict[str, Any]:
        """As a journal's record."""
        arms = [c.to_plain() for c in self.committed]
        return {"kind": "generation", "index": self.index, "arms": arms}


AnyRound = TypeVar("AnyRound", bound=Round)


class RunRecord:
    """What a run's journal holds, read once and in order.

    Attributes
    ----------
    population_hash
        That the run ended with; None for one that has not ended, or is not read to its end yet.
    """

    def __init__(self, folder: Path) -> None:
        self.population_hash: str | None = None
        self._frames = Frames(folder / JOURNAL)

    @property
    def damage(self) -> Damage | None:
        """Where what was read stops being intact, if it does."""
        return self._frames.damage

    def rounds(self) -> Iterator[Round]:
        """Every intact round that was not read yet, one at a time.

        Raises
        ------
        JournalError
            If there is no journal.
        """
        for _, payload in self._frames:
            record = unpack(payload)
            if record["kind"] == "end":
                self.population_hash = record["population_hash"]
            elif record["kind"] == "generation":
                yield round_of(record)


def read_rounds(folder: Path) -> Iterator[Round]:
    """Every intact round of a run, one at a time; errors as of `RunRecord.rounds`."""
    return RunRecord(folder).rounds()


def rounds_in(contents: Contents) -> Iterator[Round]:
    """The rounds of a journal that was read already."""
    return (round_of(record) for record in contents.records if record["kind"] == "generation")


def ended_with(contents: Contents) -> str | None:
    """The population hash that a journal ends with; None where the run has not ended."""
    last = contents.records[-1] if contents.records else {"kind": "none"}
    return last["population_hash"] if last["kind"] == "end" else None


def round_of(record: dict[str, Any]) -> Round:
    """A round from its record; the inverse of `Round.to_plain`."""
    return Round(tuple(Committed.from_plain(arm) for arm in record["arms"]))


def first_and_last(rounds: Iterable[AnyRound]) -> list[AnyRound]:
    """The ends of a run: two rounds, or one where there is one, or none."""
    ends: list[AnyRound] = []
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
