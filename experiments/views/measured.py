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
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.rounds import Round
from mgptn.population.intervals.shares import share_interval
from mgptn.population.intervals.spread import known_spread
from mgptn.population.measures.answer_errors import errors_by_temperature
from mgptn.population.measures.generation_measures import Measures, measure, unmeasured
from mgptn.population.measures.grader_measures import GraderMeasures, measure_graders
from mgptn.population.measures.jury import coalescence
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
        self._acceptance, self._seed = config.protocol.acceptance, config.seed
        self._before: Round | None = None
        self._coalescences: defaultdict[str, list[float]] = defaultdict(list)

    def __call__(self, done: Round) -> MeasuredRound:
        """The round with its measures: NaN in place of one that fails."""
        measures: dict[str, Measures] = {}
        graders: dict[str, tuple[GraderMeasures, ...]] = {}
        faults: list[str] = []
        for one in done.committed:
            try:
                measures[one.arm] = self._measures(one)
                graders[one.arm] = measure_graders(
                    one.generation, self._grade_cut(one.generation), self._seed
                )
            except FAULTS as error:
                measures.setdefault(one.arm, unmeasured(one.generation))
                graders[one.arm] = ()
                faults.append(
                    f"Generation {done.index} of arm {one.arm} could not be measured, and is left "
                    f"out of tables and figures: {type(error).__name__}: {error}"
                )
        self._before = done
        return MeasuredRound(done.committed, measures, graders, tuple(faults))

    def _measures(self, one: Committed) -> Measures:
        earlier = self._before.of(one.arm) if self._before else None
        known = self._coalescences[one.arm]
        known.append(coalescence(one.generation))
        found = measure(
            one.generation,
            earlier.generation if earlier else None,
            self._acceptance.cut(one.generation.scores),
            known[:-1],
            grade_threshold=self._grade_cut(one.generation),
        )
        return _of_likeliest(found, one.generation) if one.arm == GREEDY else found

    def _grade_cut(self, generation: Generation) -> float:
        """From which on a grade counts as accepting, by how answers are accepted."""
        if self._acceptance.by == "threshold":
            return self._acceptance.threshold
        return self._acceptance.cut(generation.outcomes.peer_values().ravel())


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
