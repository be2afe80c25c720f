"""Single rounds of a run, read again where they stand in its journal."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.fields import Fields, RecordError
from mgptn.experiments.record.packed_agents import unpack_populations
from mgptn.experiments.record.reading import unpack
from mgptn.experiments.record.rounds import JOURNAL, Round
from mgptn.population.records.population import Population

KEPT = 3
"""Rounds in memory at a time: whoever clicks about stays near."""


class Rounds:
    """A run's rounds by their index, of those that were read and checked once before.

    Safe to be asked by several threads at once.

    Parameters
    ----------
    folder
        Of the run.
    spans
        As of `RunRecord`; it may grow.
    """

    def __init__(self, folder: Path, spans: Sequence[tuple[int, int]]) -> None:
        self._path = folder / JOURNAL
        self._spans = spans
        self._kept: OrderedDict[int, Round] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, index: int) -> Round:
        """The round of a generation.

        Raises
        ------
        IndexError
            If it is not committed yet.
        OSError, RecordError
            If the journal is gone, or another one by now.
        """
        if not 0 <= index < len(self._spans):
            raise IndexError(f"generation: expected 0 to {len(self._spans) - 1}, got {index}")
        with self._lock:
            if index not in self._kept:
                self._kept[index] = Round(self._committed(index))
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(index)
            return self._kept[index]

    def _committed(self, index: int) -> tuple[Committed, ...]:
        before = self._survivors(index - 1) if index else {}
        return tuple(
            Committed.from_plain(arm, before.get(arm.text("arm"))) for arm in self._arms(index)
        )

    def _arms(self, index: int) -> list[Fields]:
        start, length = self._spans[index]
        with self._path.open("rb") as file:
            file.seek(start)
            record = Fields(unpack(file.read(length)))
        if record.whole("index") != index:
            raise RecordError(f"index: expected generation {index}, got {record.whole('index')}")
        return list(record.sections("arms"))

    def _survivors(self, index: int) -> dict[str, Population]:
        """Of each arm: who answers in the round after, where a compact record does not say."""
        found = {}
        for arm in self._arms(index):
            populations = arm.section("generation").section("populations")
            sizes = len(populations.several("sizes"))
            found[arm.text("arm")] = unpack_populations(populations, sizes)[-1]
        return found
