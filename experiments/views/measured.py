"""Rounds with what is measured of them, each once.

Measures are for who looks on: one that fails is told, and the run goes on.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from mgptn.experiments.config.arms import GREEDY, LIKELIEST
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.measuring import ArmMeasuring, grade_cut
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.rounds import Round
from mgptn.population.intervals.shares import share_interval
from mgptn.population.intervals.spread import known_spread
from mgptn.population.measures.answer_errors import errors_by_temperature
from mgptn.population.measures.generation_measures import Measures, unmeasured
from mgptn.population.measures.grader_measures import GraderMeasures, measure_graders
from mgptn.population.records.arrays import known_mean
from mgptn.population.records.generation import Generation

FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a measure may raise of records that contradict each other, or of a fault of its own."""


@dataclass(frozen=True, slots=True)
class MeasuredRound(Round):
    """A round with its measures by arm, and a sentence for each that could not be made."""

    measures: dict[str, Measures]
    graders: dict[str, tuple[GraderMeasures, ...]] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


class Measuring:
    """Measures rounds in order; what changes between generations needs those before."""

    def __init__(self, config: RunConfig) -> None:
        self._acceptance = config.protocol.acceptance
        self._arms: defaultdict[str, ArmMeasuring] = defaultdict(lambda: ArmMeasuring(config))

    def __call__(self, done: Round) -> MeasuredRound:
        """The round with its measures: NaN in place of one that fails."""
        measures: dict[str, Measures] = {}
        graders: dict[str, tuple[GraderMeasures, ...]] = {}
        faults: list[str] = []
        for one in done.committed:
            try:
                measures[one.arm] = self._measures(one)
                cut = grade_cut(self._acceptance, one.generation)
                graders[one.arm] = measure_graders(one.generation, cut)
            except FAULTS as error:
                measures.setdefault(one.arm, unmeasured(one.generation))
                graders[one.arm] = ()
                faults.append(
                    f"Generation {done.index} of arm {one.arm} could not be measured, and is left "
                    f"out of tables and figures: {type(error).__name__}: {error}"
                )
        return MeasuredRound(done.committed, measures, graders, tuple(faults))

    def _measures(self, one: Committed) -> Measures:
        found = self._arms[one.arm](one.generation)
        return _of_likeliest(found, one.generation) if one.arm == GREEDY else found


def _of_likeliest(found: Measures, generation: Generation) -> Measures:
    """The measures of founders alone, their gold error that of the likeliest answers."""
    errors = errors_by_temperature(generation, (LIKELIEST,))[:, 0]
    agents = sum(a.genome.sampling_temperature == LIKELIEST for a in generation.agents)
    low, high = share_interval(known_spread(errors), agents)
    value = known_mean(errors)
    return replace(found, gold_error=value, gold_error_low=low, gold_error_high=high)


def measured(rounds: Iterable[Round], config: RunConfig) -> Iterator[MeasuredRound]:
    """Rounds with their measures, one at a time."""
    return map(Measuring(config), rounds)
