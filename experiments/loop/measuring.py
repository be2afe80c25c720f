"""What is measured of an arm, generation by generation: what changes needs those before."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.experiments.config.run_config import RunConfig
from mgptn.population.judging.acceptance import Acceptance
from mgptn.population.measures.generation_measures import Measures, measure
from mgptn.population.measures.jury import coalescence
from mgptn.population.records.generation import Generation


class ArmMeasuring:
    """Measures the generations of an arm in order."""

    def __init__(self, config: RunConfig) -> None:
        self._acceptance = config.protocol.acceptance
        self._before: Generation | None = None
        self._coalescences: list[float] = []

    def __call__(self, generation: Generation) -> Measures:
        """Of the next generation; it counts as the one before, also if it cannot be measured."""
        earlier, self._before = self._before, generation
        self._coalescences.append(coalescence(generation))
        return measure(
            generation,
            earlier,
            self._acceptance.cut(generation.scores),
            self._coalescences[:-1],
            grade_threshold=grade_cut(self._acceptance, generation),
        )


def grade_cut(acceptance: Acceptance, generation: Generation) -> float:
    """From which on a grade counts as accepting, by how answers are accepted."""
    if acceptance.by == "threshold":
        return acceptance.threshold
    return acceptance.cut(generation.outcomes.peer_values().ravel())
