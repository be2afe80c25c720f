"""The order in which the records of a run stand: its manifest, its rounds, its end."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from mgptn.experiments.record.binding import KIND, check_bound
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.compacted import COMPACTED, Compacted
from mgptn.experiments.record.fields import Fields
from mgptn.experiments.record.manifest import MANIFEST, read_manifest
from mgptn.population.records.population import Population


class Course:
    """A run's records, taken one by one: each is what may stand there, or a `RecordError`.

    A manifest may come first, then what was dropped from it later; then rounds, of which each has
    the same arms and the next index; at last the end.

    Parameters
    ----------
    folder
        Of the run. Its manifest, where there is one, says the arms.

    Attributes
    ----------
    bound
        Does the journal vouch for the manifest?
    compacted
        What was dropped from it; None from one that is as it was written.
    population_hash
        That the run ended with; None for one that has not ended, or is not read to its end yet.
    """

    def __init__(self, folder: Path) -> None:
        self.bound = False
        self.compacted: Compacted | None = None
        self.population_hash: str | None = None
        self._survivors: dict[str, Population] = {}
        self._folder = folder
        self._arms: list[str] | None = None
        self._taken = self._rounds = 0

    def take(self, record: Any) -> tuple[Committed, ...]:
        """What a record holds of a generation, arm by arm; nothing where it is another record.

        Raises
        ------
        RecordError
            If it is none that a run writes, or none that stands here.
        ManifestError
            If the manifest is another than the run was begun with.
        """
        fields = Fields(record)
        kind = fields.text("kind")
        if self.population_hash is not None:
            raise fields.wrong("kind", "nothing after the end", kind)
        done: tuple[Committed, ...] = ()
        if kind == KIND and not self._taken:
            check_bound(self._folder, fields)
            self.bound = True
        elif kind == COMPACTED and self.compacted is None and not self._rounds:
            self.compacted = Compacted.from_plain(fields)
        elif kind == "generation":
            done = self._round(fields)
        elif kind == "end":
            self.population_hash = fields.hashed("population_hash")
        else:
            raise fields.wrong("kind", "generation or end", kind)
        self._taken += 1
        return done

    def _round(self, fields: Fields) -> tuple[Committed, ...]:
        index = fields.whole("index")
        if index != self._rounds:
            raise fields.wrong("index", f"generation {self._rounds}", index)
        if self._arms is None:
            self._arms = self._arms_of_manifest()
        committed = []
        for one in fields.sections("arms"):
            before = self._survivors.get(one.text("arm")) if self.compacted else None
            committed.append(Committed.from_plain(one, before))
            found = committed[-1].generation.index
            if found != index:
                raise one.wrong("generation.index", str(index), found)
        arms = [one.arm for one in committed]
        if not arms or arms != (self._arms or list(dict.fromkeys(arms))):
            expected = ", ".join(self._arms or ["each once"])
            raise fields.wrong("arms", f"the arms {expected}", ", ".join(arms) or "none")
        self._arms = arms
        self._rounds += 1
        if self.compacted:
            self._survivors = {one.arm: one.generation.survivors for one in committed}
        return tuple(committed)

    def _arms_of_manifest(self) -> list[str] | None:
        known = (self._folder / MANIFEST).exists()
        return list(read_manifest(self._folder)["arms"]) if known else None
