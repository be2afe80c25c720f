"""Journals made compact: what is dropped from their records, and how whoever misses it is told.

What stands in two places, or follows from the seed, is dropped from every one: reading puts it
back. What was said may be dropped too, and that is gone.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mgptn.experiments.record.committed import NOT_KEPT, Committed
from mgptn.experiments.record.drawing_again import as_drawn
from mgptn.experiments.record.fields import Fields, RecordError
from mgptn.experiments.record.packed_agents import pack_populations
from mgptn.experiments.record.packed_arrays import squeezed
from mgptn.experiments.record.reading import Frames, unpack
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import Population

COMPACTED = "compacted"
"""Kind of the record, after the manifest's, that says so."""

CONVERSATIONS = "conversations"
"""What may be dropped: answers that entered no context, and what was said besides answers."""


class DroppedError(ValueError):
    """Something that was dropped from a journal is asked for: says when, and what was expected."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """How a journal was made compact.

    Attributes
    ----------
    date
        Of the day, as ISO 8601 has it.
    dropped
        Names of what is no longer there; nothing that stands elsewhere is named.
    was
        The last link of the journal before.
    """

    date: str
    dropped: tuple[str, ...]
    was: str

    def to_plain(self) -> dict[str, Any]:
        """As a journal's record."""
        dropped = list(self.dropped)
        return {"kind": COMPACTED, "date": self.date, "dropped": dropped, "was": self.was}

    @classmethod
    def from_plain(cls, plain: Fields) -> Compacted:
        """The inverse of `to_plain`; `RecordError` if it is no such record."""
        dropped = plain.texts("dropped")
        strange = [name for name in dropped if name != CONVERSATIONS]
        if strange:
            raise plain.wrong("dropped", f"{CONVERSATIONS} or nothing", strange[0])
        return cls(plain.text("date"), dropped, plain.hashed("was"))


def compact_round(
    committed: tuple[Committed, ...],
    before: Mapping[str, Population],
    seed: int,
    dropped: tuple[str, ...],
) -> dict[str, Any]:
    """A round as a compact journal's record.

    Parameters
    ----------
    before
        Arm → survivors of its generation before; of none, those who answer are written.
    seed
        The run's, from which graders may have been drawn.
    dropped
        As of `Compacted`.
    """
    arms = [_compact(one, before.get(one.arm), seed, dropped) for one in committed]
    return {"kind": "generation", "index": committed[0].generation.index, "arms": arms}


def without_conversations(one: Committed) -> Committed:
    """What is left of a generation if conversations are dropped."""
    outcomes = one.generation.outcomes
    kept = _kept(one)
    texts = tuple(t if i in kept else NOT_KEPT for i, t in enumerate(outcomes.texts))
    turns = replace(outcomes.turns, texts=(NOT_KEPT,) * len(outcomes.turns.texts))
    left: Outcomes = replace(outcomes, texts=texts, turns=turns)
    return replace(one, generation=replace(one.generation, outcomes=left))


def compaction_of(path: Path) -> Compacted | None:
    """How a journal was made compact, from its beginning alone; None if it was not.

    Raises
    ------
    JournalError
        If there is no journal.
    """
    for place, (_, payload) in enumerate(Frames(path)):
        if place > 1:
            break
        record = unpack(payload)
        if isinstance(record, dict) and record.get("kind") == COMPACTED:
            try:
                return Compacted.from_plain(Fields(record))
            except RecordError:
                break  # whoever reads on is told
    return None


def check_conversations(path: Path) -> None:
    """Refuse a journal from which conversations were dropped.

    Raises
    ------
    DroppedError
        If they were.
    """
    found = compaction_of(path)
    if found is not None and CONVERSATIONS in found.dropped:
        raise DroppedError(
            f"{path}: expected a journal with what was said, got one that was compacted on "
            f"{found.date}: {CONVERSATIONS} were dropped"
        )


def _compact(
    one: Committed, before: Population | None, seed: int, dropped: tuple[str, ...]
) -> dict[str, Any]:
    plain = one.to_plain()
    generation, outcomes = plain["generation"], plain["generation"]["outcomes"]
    if before is not None and before == one.generation.agents:
        generation["populations"] = pack_populations((one.generation.survivors,))
    del outcomes["authors"]
    matches = one.generation.outcomes.matches
    drawn = as_drawn(matches, seed, one.generation.index)
    if drawn is not None and len(outcomes["grades"]["shape"]) == 2 and outcomes["grades"]["data"]:
        outcomes["graders"] = drawn
    if CONVERSATIONS in dropped:
        kept = _kept(one)
        outcomes["texts"] = [t if i in kept else None for i, t in enumerate(outcomes["texts"])]
        outcomes["turns"]["texts"] = [None] * len(outcomes["turns"]["texts"])
    small: dict[str, Any] = _squeezed(plain)
    return small


def _kept(one: Committed) -> set[int]:
    """Indices of the texts that entered a context, of which replay and hash are made."""
    outcomes, accepted = one.generation.outcomes, one.generation.accepted
    indices = np.union1d(outcomes.answers[accepted], outcomes.counted[accepted])
    return set(indices.tolist())


def _squeezed(plain: Any) -> Any:
    """Every array in less room."""
    if isinstance(plain, dict):
        if "data" in plain and "shape" in plain:
            return squeezed(plain)
        return {key: _squeezed(value) for key, value in plain.items()}
    return plain
