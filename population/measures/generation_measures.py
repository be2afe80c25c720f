"""What is measured of one generation, from its outcomes and verdicts alone.

The live table, the metrics, the tables and the report all show these numbers and no others.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from mgptn.population.intervals.shares import share_interval
from mgptn.population.intervals.spread import known_spread
from mgptn.population.judging.aggregation import disagreement
from mgptn.population.judging.agreeing import agreed_share
from mgptn.population.measures.answer_errors import (
    agent_errors,
    best_of_n_errors,
    majority_errors,
    problem_errors,
)
from mgptn.population.measures.descent import offspring_numbers, price_terms
from mgptn.population.measures.diversity import effective_size, hill
from mgptn.population.measures.jury import (
    agreed_error,
    collision,
    expected_identity,
    shared_founders,
)
from mgptn.population.measures.rates import (
    auc,
    brier,
    calibration_error,
    effective_graders,
    error_correlation,
    grader_rates,
)
from mgptn.population.records.arrays import Floats, known_mean
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcomes, only


@dataclass(frozen=True, slots=True)
class Measures:
    """Measures of one generation; NaN where a measure is undefined.

    Attributes
    ----------
    task_size
        Of the problems, where the task grows; else 0.
    fitness_mean, fitness_max
        Over agents, in [0, 1]: what selection saw.
    gold_error, gold_error_low, gold_error_high
        Share of answers that the verifier calls wrong, with its 95 % interval: Wilson's, by the
        spread between problems. Here and in all that looks at verdicts, answers without one are
        left out: where there are some, a problem counts by its others.
    majority_error, best_of_n_error
        Error of the commonest answer to each problem, and of the answer with the highest mean
        grade, over the generation's M answers to it; ties count by their share.
    acceptance_rate, accepted_error
        Share of answers that entered a context, and share of wrong ones among them.
    tpr, fpr, youden_j, likelihood_ratio
        Of the selector's decision (score ≥ threshold) against verdicts.
    grader_tpr, grader_fpr, grader_j, grader_auc, grader_brier, grader_ece
        Of single grades against verdicts.
    grader_correlation, effective_graders
        Mean correlation of two graders' errors on the same wrong answers, and the number of
        independent graders that as many correlated ones are worth.
    disagreement
        Mean over answers of the standard deviation of their grades.
    grade_bias
        Mean grade less the share of right answers among the graded: 0 for graders that are right
        on average; its course over generations is how labels drift.
    position_bias
        Mean order effect of comparisons: above 0, what is shown first is favoured.
    turn_error
        Share of wrong ones among drafts, candidates and rivals' answers.
    option_mass, option_mass_least
        Probability that a grader's next words were one of the options that it was given, mean and
        least over grades read from logits: where it is small, grades say little of what graders
        would have said.
    unreadable_grades, truncated_answers, unknown_verdicts
        Counts; the last of answers of which it is not known whether they are right.
    context_mean
        Mean number of examples in an agent's context, as it answered.
    lineages, lineage_diversity, genotypes
        Founders with living descendants; their Hill number of order 1; distinct genomes. All of
        the survivors.
    effective_size
        Effective population size from the variance in offspring numbers.
    collision
        Of pairs of agents that are both wrong on a problem, the share that gave the same answer.
    agreed_share, agreed_error
        Share of problems to which all agents gave the same answer, and of those the share to which
        it is wrong.
    identity_by_descent, identity_expected
        Share of pairs of the agents that answered who descend from the same founder, and what
        multinomial Wright–Fisher with the rates so far expects it to be.
    price_selection, price_transmission
        Price's parts of the change of mean gold error since the generation before; NaN for the
        first.
    fitness_price_selection, fitness_price_transmission
        The same of mean fitness; NaN also where an agent of either generation has no fitness,
        for then the two means are not of parents and all their offspring.
    """

    generation: int
    task_size: int
    agents: int
    answers: int
    grades: int
    tokens: int
    births: int
    deaths: int
    fitness_mean: float
    fitness_max: float
    gold_error: float
    gold_error_low: float
    gold_error_high: float
    majority_error: float
    best_of_n_error: float
    acceptance_rate: float
    accepted_error: float
    tpr: float
    fpr: float
    youden_j: float
    likelihood_ratio: float
    grader_tpr: float
    grader_fpr: float
    grader_j: float
    grader_auc: float
    grader_brier: float
    grader_ece: float
    grader_correlation: float
    effective_graders: float
    disagreement: float
    grade_bias: float
    position_bias: float
    turn_error: float
    option_mass: float
    option_mass_least: float
    unreadable_grades: int
    truncated_answers: int
    unknown_verdicts: int
    context_mean: float
    lineages: int
    lineage_diversity: float
    genotypes: int
    effective_size: float
    collision: float
    agreed_share: float
    agreed_error: float
    identity_by_descent: float
    identity_expected: float
    price_selection: float
    price_transmission: float
    fitness_price_selection: float
    fitness_price_transmission: float


def measure(
    generation: Generation,
    previous: Generation | None,
    threshold: float,
    coalescences: Sequence[float] = (),
    *,
    grade_threshold: float | None = None,
) -> Measures:
    """Measure one generation.

    Parameters
    ----------
    previous
        The generation before, for Price's accounting; None for the first.
    threshold
        Scores of at least this count as acceptance.
    coalescences
        Of every generation before, in order, as of `jury.coalescence`; `identity_expected` is NaN
        where they are not all there.
    grade_threshold
        So do grades of at least this; the same as for scores if None.

    Raises
    ------
    ArithmeticError
        If Price's identity does not hold to rounding error: the records contradict each other.
    """
    outcomes, agents = generation.outcomes, generation.agents
    size = len(agents)
    verdicts, known = outcomes.verdicts, outcomes.known
    errors = problem_errors(generation)
    interval = share_interval(known_spread(errors), size)
    selector = grader_rates(generation.scores[known], verdicts[known], threshold)
    grades, graded_right, counts = _distinct_grades(outcomes)
    least = threshold if grade_threshold is None else grade_threshold
    graders = grader_rates(grades, graded_right, least, counts)
    correlation = _error_correlation(outcomes)
    fitness = generation.fitness[~np.isnan(generation.fitness)].tolist()
    accepted = np.zeros(len(outcomes), dtype=np.bool_)
    accepted[generation.accepted] = True
    founders = Counter(generation.survivors.founders.tolist())
    error_terms = price_terms(generation, previous, agent_errors, "error")
    mass, least_mass = option_mass(outcomes)
    traced = len(coalescences) == generation.index
    fitness_terms = price_terms(generation, previous, lambda one: one.fitness, "fitness")
    return Measures(
        generation=generation.index,
        task_size=generation.size,
        agents=size,
        answers=len(outcomes),
        grades=outcomes.grades.size,
        tokens=int(outcomes.tokens.sum()),
        births=len(generation.births),
        deaths=len(generation.deaths),
        fitness_mean=sum(fitness) / len(fitness) if fitness else math.nan,
        fitness_max=max(fitness, default=math.nan),
        gold_error=known_mean(errors) if len(outcomes.unknown) else float(np.mean(~verdicts)),
        gold_error_low=interval.low,
        gold_error_high=interval.high,
        majority_error=known_mean(majority_errors(generation)),
        best_of_n_error=known_mean(best_of_n_errors(generation)),
        acceptance_rate=len(generation.accepted) / len(outcomes),
        accepted_error=_share(outcomes.wrong, known & accepted),
        tpr=selector.tpr,
        fpr=selector.fpr,
        youden_j=selector.youden_j,
        likelihood_ratio=selector.likelihood_ratio,
        grader_tpr=graders.tpr,
        grader_fpr=graders.fpr,
        grader_j=graders.youden_j,
        grader_auc=auc(grades, graded_right, counts),
        grader_brier=brier(grades, graded_right, counts),
        grader_ece=calibration_error(grades, graded_right, counts=counts),
        grader_correlation=correlation,
        effective_graders=effective_graders(max(1, outcomes.peers_asked), correlation),
        disagreement=known_mean(disagreement(outcomes)),
        grade_bias=_mean_difference(grades, graded_right, counts),
        position_bias=known_mean(outcomes.order_effects),
        turn_error=outcomes.turns.error(),
        option_mass=mass,
        option_mass_least=least_mass,
        unreadable_grades=int(np.sum(outcomes.grades < 0)),
        truncated_answers=int(np.sum(~outcomes.finished)),
        unknown_verdicts=int(np.sum(outcomes.unknown)),
        context_mean=int(agents.columns.lengths[agents.places].sum(dtype=np.int64)) / size,
        lineages=len(founders),
        lineage_diversity=hill(np.array(list(founders.values())) / size, 1.0),
        genotypes=len(set(map(bytes, generation.survivors.digests()))),
        effective_size=effective_size(offspring_numbers(generation)),
        collision=collision(outcomes),
        agreed_share=agreed_share(outcomes),
        agreed_error=agreed_error(outcomes),
        identity_by_descent=shared_founders(agents),
        identity_expected=expected_identity(coalescences) if traced else math.nan,
        price_selection=error_terms.selection,
        price_transmission=error_terms.transmission,
        fitness_price_selection=fitness_terms.selection,
        fitness_price_transmission=fitness_terms.transmission,
    )


def unmeasured(generation: Generation) -> Measures:
    """What is said of a generation that could not be measured: counts, and NaN for the rest."""
    nothing = {f.name: math.nan if f.type == "float" else 0 for f in fields(Measures)}
    counts = {
        "generation": generation.index,
        "agents": len(generation.agents),
        "answers": len(generation.outcomes),
        "grades": generation.outcomes.grades.size,
        "births": len(generation.births),
        "deaths": len(generation.deaths),
        "lineages": len(set(generation.survivors.founders.tolist())),
    }
    return Measures(**{**nothing, **counts})  # type: ignore[arg-type]


def _distinct_grades(outcomes: Outcomes) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Distinct grades of wrong answers, then of right ones, [2·D]: value, verdict, how often."""
    counts = outcomes.peer_grade_counts()[:, 1:].ravel()
    right = np.repeat([False, True], len(outcomes.values))
    return np.tile(_clipped(outcomes.values), 2), right, counts


def _mean_difference(values: Floats, right: NDArray[np.bool_], counts: NDArray[np.int64]) -> float:
    """Mean of value − verdict over all that were given; NaN where there are none."""
    given = int(counts.sum())
    return float((values - right) @ counts) / given if given else math.nan


def _share(of: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(np.mean(of[among])) if among.any() else math.nan


def option_mass(outcomes: Outcomes) -> tuple[float, float]:
    """Mean and least mass of the grades that were read from logits; NaN where none were."""
    if not outcomes.masses.size:
        return math.nan, math.nan
    given = outcomes.given_counts()[1:]
    read = ~np.isnan(outcomes.masses) & (given > 0)
    masses = outcomes.masses[read]
    if not masses.size:
        return math.nan, math.nan
    return float(np.average(masses, weights=given[read])), float(masses.min())


def _error_correlation(outcomes: Outcomes) -> float:
    wrong = outcomes.wrong
    values, seats = np.append(_clipped(outcomes.values), np.nan), outcomes.peer_seats()
    given = outcomes.grades if seats is None else only(seats, outcomes.grades)
    grades = values[given[wrong].T]
    return error_correlation(grades, np.zeros(grades.shape[1], dtype=np.bool_))


def _clipped(values: Floats) -> Floats:
    """Grades without the rounding that carries a mean of levels over the scale's ends."""
    return np.clip(values, 0.0, 1.0)
