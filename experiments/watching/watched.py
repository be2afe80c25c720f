"""One run under watch: its rounds are measured as they are committed, and what is shown is kept."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.record.follow import Follower
from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.results.derive import Derivation, finding_of
from mgptn.experiments.views.measured import MeasuredRound, Measuring
from mgptn.experiments.watching.lineages import founders_of, tree
from mgptn.experiments.watching.prompts import Prompts
from mgptn.experiments.watching.rounds import Rounds
from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.judging.aggregation import AGGREGATIONS
from mgptn.population.measures.generation_measures import Measures

MOST_POINTS = 600
"""Generations of a series that are sent at once: of more, every second, third, …"""

Plain = dict[str, Any]


class Watched:
    """A run as it is shown: some hundred numbers a generation and arm, and where its records stand.

    One thread calls `read`; any may call the rest.

    Raises
    ------
    ConfigError, ManifestError, JournalError
        If the folder holds no run.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.manifest, self.config = recorded(folder)
        self._follower = Follower(folder)
        self.rounds = Rounds(folder, self._follower.spans)
        self._measuring, self._derived = Measuring(self.config), Derivation()
        self._rows: list[Plain] = []
        self._lock = threading.RLock()
        self._tree: tuple[int, Plain | None] = (0, None)
        self.prompts = Prompts(self.config, self.manifest)
        self.fault: str | None = None

    @property
    def ended(self) -> bool:
        """Has it ended, as far as it was read?"""
        return self._follower.ended

    def read(self) -> Iterator[Plain]:
        """What is new: a row of each round committed since the last call, as it is measured.

        A journal that is altered, or gone, is told as `fault`, and read no further.
        """
        if self.fault is not None:
            return
        try:
            for done in self._follower.new():
                found = self._measuring(done)
                with self._lock:
                    self._derived.add(found)
                    self._rows.append(_row(found))
                yield self._rows[-1]
        except (JournalError, ValueError, OSError) as error:
            self.fault = str(error)

    def series(self, most: int = MOST_POINTS) -> Plain:
        """All rows so far, thinned to so many, first and last included; and how many there are."""
        with self._lock:
            rows = self._rows
            step = max(1, -(-len(rows) // most))
            kept = rows[::step]
            if rows and (len(rows) - 1) % step:
                kept = [*kept, rows[-1]]
            return {"rows": kept, "count": len(rows), "step": step}

    def finding(self) -> Plain:
        """What can be said of the run so far, as its report would."""
        with self._lock:
            if not self._rows:
                return {"heading": "No generation has been committed yet", "sentences": []}
            verdict = finding_of(self._derived, self.config)
            return {"heading": verdict.heading, "sentences": list(verdict.sentences)}

    def tree(self) -> Plain | None:
        """As of `lineages.tree`; None while there is none."""
        with self._lock:
            count = len(self._rows)
            if self._tree[0] != count:
                lineage = self._derived.lineage
                self._tree = (count, None if lineage is None else tree(lineage))
            return self._tree[1]

    def described(self) -> Plain:
        """What does not change while a run goes on."""
        config, manifest = self.config, self.manifest
        return {
            "name": self.name,
            "run": config.name,
            "seed": config.seed,
            "arms": list(manifest["arms"]),
            "planned": config.population.generations,
            "agents": config.population.size,
            "problems": config.problems_per_generation,
            "task": config.task.name,
            "model": config.agents.model,
            "protocol": config.protocol.name,
            "graders": config.protocol.graders,
            "threshold": config.protocol.threshold,
            "hosts": config.hosts.count,
            "device": manifest.get("device", ""),
            "config": plain(config.model_dump(mode="json")),
            "operators": list(OPERATORS),
            "aggregations": list(AGGREGATIONS),
        }


def _row(done: MeasuredRound) -> Plain:
    """What is shown of a round: every measure by arm, seconds, counters, founders."""
    return {
        "generation": done.index,
        "arms": {
            one.arm: {
                **_finite(done.measures[one.arm]),
                "seconds": plain(one.seconds),
                "counters": one.counters,
            }
            for one in done.committed
        },
        "founders": [
            pair
            for one in done.committed
            if one.arm == SELECTED
            for pair in founders_of(one.generation.survivors)
        ],
        "faults": list(done.faults),
    }


def _finite(measures: Measures) -> Plain:
    """Measures by name; what is undefined as nothing, for JSON has no NaN."""
    found: Plain = plain(asdict(measures))
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it: None in place of a number that is not finite."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
