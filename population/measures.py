"""What is measured of one generation, from its outcomes and verdicts alone.

The live table, the metrics, the tables and the report all show these numbers and no others.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from population.diversity import effective_size, hill
from population.grading import (
    auc,
    brier,
    calibration_error,
    cluster_bootstrap,
    effective_graders,
    error_correlation,
    grader_rates,
)
from population.price import price
from population.records import AgentId, Generation, Outcome
from population.selectors import mean_grade
from population.streams import stream


@dataclass(frozen=True, slots=True)
class Measures:
    """Measures of one generation; NaN where a measure is undefined.

    Attributes
    ----------
    fitness_mean, fitness_max
        Over agents, in [0, 1]: what selection saw.
    gold_error, gold_error_low, gold_error_high
        Share of answers that the verifier calls wrong, with its 95 % interval by bootstrap over
        problems.
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
    unreadable_grades, truncated_answers
        Counts.
    context_mean
        Mean number of examples in an agent's context, as it answered.
    lineages, lineage_diversity, genotypes
        Founders with living descendants; their Hill number of order 1; distinct genomes. All of
        the survivors.
    effective_size
        Effective population size from the variance in offspring numbers.
    price_selection, price_transmission
        Price's parts of the change of mean gold error since the generation before; NaN for the
        first.
    fitness_price_selection, fitness_price_transmission
        The same of mean fitness; NaN also where an agent of either generation has no fitness,
        for then the two means are not of parents and all their offspring.
    """

    generation: int
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
    unreadable_grades: int
    truncated_answers: int
    context_mean: float
    lineages: int
    lineage_diversity: float
    genotypes: int
    effective_size: float
    price_selection: float
    price_transmission: float
    fitness_price_selection: float
    fitness_price_transmission: float


def measure(
    generation: Generation, previous: Generation | None, threshold: float, seed: int
) -> Measures:
    """Measure one generation.

    Parameters
    ----------
    previous
        The generation before, for Price's accounting; None for the first.
    threshold
        Scores and grades of at least this count as acceptance.
    seed
        Of the run: names the bootstrap's stream.

    Raises
    ------
    ArithmeticError
        If Price's identity does not hold to rounding error: the records contradict each other.
    """
    outcomes, size = generation.outcomes, len(generation.agents)
    verdicts = np.array([outcome.verdict for outcome in outcomes])
    wrong = ~verdicts.reshape(size, -1)
    interval = cluster_bootstrap(
        wrong.T, lambda drawn: float(drawn.mean()), stream(seed, "bootstrap", generation.index)
    )
    scores = np.array([np.nan if s is None else s for s in generation.scores])
    selector = grader_rates(scores, verdicts, threshold)
    grades = _grade_table(generation)
    graders = grader_rates(grades, verdicts, threshold)
    correlation = error_correlation(grades, verdicts)
    fitness = [f for f in generation.fitness if f is not None]
    accepted = verdicts[list(generation.accepted)]
    founders = Counter(agent.founder for agent in generation.survivors)
    error_terms = _price(generation, previous, agent_errors, "error")
    fitness_terms = _price(generation, previous, _agent_fitness, "fitness")
    return Measures(
        generation=generation.index,
        agents=size,
        answers=len(outcomes),
        grades=sum(len(outcome.grades) for outcome in outcomes),
        tokens=sum(outcome.tokens for outcome in outcomes),
        births=len(generation.births),
        deaths=len(generation.deaths),
        fitness_mean=sum(fitness) / len(fitness) if fitness else math.nan,
        fitness_max=max(fitness, default=math.nan),
        gold_error=float(wrong.mean()),
        gold_error_low=interval.low,
        gold_error_high=interval.high,
        majority_error=float(np.mean(majority_errors(generation))),
        best_of_n_error=float(np.mean(best_of_n_errors(generation))),
        acceptance_rate=len(generation.accepted) / len(outcomes),
        accepted_error=float(np.mean(~accepted)) if accepted.size else math.nan,
        tpr=selector.tpr,
        fpr=selector.fpr,
        youden_j=selector.youden_j,
        likelihood_ratio=selector.likelihood_ratio,
        grader_tpr=graders.tpr,
        grader_fpr=graders.fpr,
        grader_j=graders.youden_j,
        grader_auc=auc(grades, verdicts),
        grader_brier=brier(grades, verdicts),
        grader_ece=calibration_error(grades, verdicts),
        grader_correlation=correlation,
        effective_graders=effective_graders(len(grades), correlation),
        unreadable_grades=sum(g.value is None for o in outcomes for g in o.grades),
        truncated_answers=sum(not outcome.finished for outcome in outcomes),
        context_mean=sum(len(agent.genome.context) for agent in generation.agents) / size,
        lineages=len(founders),
        lineage_diversity=hill(np.array(list(founders.values())) / size, 1.0),
        genotypes=len({agent.genome.digest() for agent in generation.survivors}),
        effective_size=effective_size(list(offspring_numbers(generation).values())),
        price_selection=error_terms[0],
        price_transmission=error_terms[1],
        fitness_price_selection=fitness_terms[0],
        fitness_price_transmission=fitness_terms[1],
    )


def majority_errors(generation: Generation) -> list[float]:
    """Error of the commonest answer to each problem, [Q]; tied answers count by their share."""
    errors = []
    for answers in _by_problem(generation):
        votes = Counter(outcome.answer for outcome in answers)
        most = max(votes.values())
        winners = [outcome for outcome in answers if votes[outcome.answer] == most]
        errors.append(sum(not outcome.verdict for outcome in winners) / len(winners))
    return errors


def best_of_n_errors(generation: Generation) -> list[float]:
    """Error of each problem's answer with the highest mean grade, [Q]; ties count by share.

    A problem none of whose answers has a readable grade counts with its answers' mean error.
    """
    errors = []
    for answers in _by_problem(generation):
        grades = [mean_grade(outcome) for outcome in answers]
        best = max((grade for grade in grades if grade is not None), default=None)
        picked = [o for o, grade in zip(answers, grades, strict=True) if grade == best]
        errors.append(sum(not outcome.verdict for outcome in picked) / len(picked))
    return errors


def offspring_numbers(generation: Generation) -> dict[AgentId, int]:
    """Survivors that descend from each agent of the generation, itself included."""
    ancestors = survivors_ancestors(generation)
    counts = Counter(ancestors.values())
    return {agent.id: counts[agent.id] for agent in generation.agents}


def survivors_ancestors(generation: Generation) -> dict[AgentId, AgentId]:
    """For each survivor, the agent of the generation that it is or descends from."""
    parents = {birth.child: birth.parent for birth in generation.births}
    ancestors = {}
    for agent in generation.survivors:
        ancestor = agent.id
        while ancestor in parents:
            ancestor = parents[ancestor]
        ancestors[agent.id] = ancestor
    return ancestors


def agent_errors(generation: Generation) -> dict[AgentId, float]:
    """Share of each agent's answers that are wrong."""
    size = len(generation.agents)
    wrong = np.array([not outcome.verdict for outcome in generation.outcomes])
    means = wrong.reshape(size, -1).mean(axis=1)
    return {a.id: float(mean) for a, mean in zip(generation.agents, means, strict=True)}


def _agent_fitness(generation: Generation) -> dict[AgentId, float]:
    """Each agent's fitness, NaN where it has none."""
    return {
        agent.id: math.nan if fitness is None else fitness
        for agent, fitness in zip(generation.agents, generation.fitness, strict=True)
    }


def _price(
    generation: Generation,
    previous: Generation | None,
    trait_of: Callable[[Generation], dict[AgentId, float]],
    name: str,
) -> tuple[float, float]:
    """Selection and transmission in the change of a trait's mean since the generation before."""
    if previous is None:
        return math.nan, math.nan
    before, now = trait_of(previous), trait_of(generation)
    if any(math.isnan(value) for value in (*before.values(), *now.values())):
        return math.nan, math.nan
    children: dict[AgentId, list[float]] = {agent: [] for agent in before}
    for child, ancestor in survivors_ancestors(previous).items():
        children[ancestor].append(now[child])
    terms = price(
        [len(values) for values in children.values()],
        list(before.values()),
        [sum(v) / len(v) if v else before[a] for a, v in children.items()],
    )
    change = sum(now.values()) / len(now) - sum(before.values()) / len(before)
    if abs(terms.selection + terms.transmission - change) > 1e-9:
        raise ArithmeticError(
            f"generation {generation.index}: expected Price's parts to sum to the change of mean "
            f"{name} {change}, got {terms}"
        )
    return terms.selection, terms.transmission


def _grade_table(generation: Generation) -> np.ndarray:
    """Grades by seat, float64 [K, A]; NaN where unreadable."""
    rows = [
        [np.nan if grade.value is None else grade.value for grade in outcome.grades]
        for outcome in generation.outcomes
    ]
    return np.clip(np.array(rows, dtype=np.float64).T, 0.0, 1.0)


def _by_problem(generation: Generation) -> list[list[Outcome]]:
    problems: dict[int, list[Outcome]] = {}
    for outcome in generation.outcomes:
        problems.setdefault(outcome.match.problem, []).append(outcome)
    return list(problems.values())
