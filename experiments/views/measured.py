"""Rounds with what is measured of them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.journal import read_journal
from mgptn.experiments.record.rounds import JOURNAL, Round, rounds_of
from mgptn.population.measures.generation_measures import measure
from mgptn.population.measures.grader_measures import measure_graders


def measured_round(
    committed: Sequence[Committed], before: Round | None, config: RunConfig
) -> Round:
    """A round with its measures; `before` is the one that it follows."""
    measures, graders = {}, {}
    for c in committed:
        earlier = before.of(c.arm) if before else None
        measures[c.arm] = measure(
            c.generation,
            earlier.generation if earlier else None,
            config.protocol.threshold,
            config.seed,
        )
        graders[c.arm] = measure_graders(c.generation, config.protocol.threshold, config.seed)
    return Round(tuple(committed), measures, graders)


def measured_rounds(folder: Path, config: RunConfig) -> Iterator[Round]:
    """Every intact round of a run's journal, measured, one at a time."""
    before: Round | None = None
    for committed in rounds_of(read_journal(folder / JOURNAL).records):
        before = measured_round(committed, before, config)
        yield before
