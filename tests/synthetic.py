"""Made-up committed generations and their measures, for tests of what is derived from them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mgptn.experiments.record.committed import Committed
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.measures.jury import shared_founders
from mgptn.population.records.agents import (
    Agent,
    AgentId,
    Birth,
    Example,
    Genome,
)
from mgptn.population.records.generation import Generation
from mgptn.population.records.matches import Match
from mgptn.population.records.outcomes import Grade, Outcome
from mgptn.population.records.population import population_digest
from tests.columns import columns, with_outcomes

ARMS = ("selected", "neutral-drift", "random-selector", "unselected")
THRESHOLD = 0.6
CAPACITY = 16


def synthetic_run(
    arms: Sequence[str] = ARMS,
    generations: int = 4,
    agents: int = 6,
    problems: int = 5,
    graders: int = 2,
    seed: int = 0,
) -> tuple[list[Committed], dict[tuple[str, int], Measures]]:
    """A run in which right examples in context lower the error, and graders share mistakes.

    Returns
    -------
    tuple
        What was committed, all arms of a generation before the next generation, and its measures.
    """
    rng = np.random.default_rng(seed)
    living = {
        arm: tuple(
            Agent(AgentId(i), Genome("gpt-1", 1.0), None, AgentId(i), -1) for i in range(agents)
        )
        for arm in arms
    }
    next_id = dict.fromkeys(arms, agents)
    committed: list[Committed] = []
    measures: dict[tuple[str, int], Measures] = {}
    for index in range(generations):
        for arm in arms:
            generation = _generation(arm, index, living[arm], next_id[arm], problems, graders, rng)
            living[arm] = generation.survivors
            next_id[arm] += len(generation.births)
            hosts = {"forward": 3.0, "sampling": 0.2, "transfer": 0.1}
            driver = {"planner": 0.1, "answer": 1.0, "grade": 2.5, "select": 0.1, "total": 3.7}
            seconds = hosts | driver
            counters = {
                "answer_requests": agents * problems,
                "grade_requests": agents * problems * graders,
                "tokens_computed": 9_000 + index,
                "tokens_saved": 31_000,
                "tokens_padded": 700,
                "slots_idle": 90,
                "prefix_evictions": 3,
                "tiles": 12,
                "host_restarts": 0,
            }
            committed.append(Committed(arm, generation, seconds, counters))
            measures[arm, index] = _measures(generation)
    return committed, measures


def with_answer(committed: Committed, index: int, answer: str) -> Committed:
    """The same commit with one answer's text replaced."""
    outcomes = list(committed.generation.outcomes)
    outcomes[index] = replace(outcomes[index], answer=answer)
    return replace(committed, generation=with_outcomes(committed.generation, outcomes))


def undefined(measures: Measures) -> Measures:
    """The same measures with every float NaN."""
    floats = {
        name: math.nan
        for name in Measures.__dataclass_fields__
        if isinstance(getattr(measures, name), float)
    }
    return replace(measures, **floats)  # type: ignore[arg-type]


def _generation(
    arm: str,
    index: int,
    agents: tuple[Agent, ...],
    next_id: int,
    problems: int,
    graders: int,
    rng: np.random.Generator,
) -> Generation:
    size = len(agents)
    queries = [f"{rng.integers(100):02d}+{rng.integers(100):02d}=" for _ in range(problems)]
    outcomes: list[Outcome] = []
    for slot, agent in enumerate(agents):
        others = [a.id for a in agents if a.id != agent.id]
        for problem, query in enumerate(queries):
            right = sum(_is_right(e) for e in agent.genome.context)
            error = 0.05 + 0.6 * 0.8 ** (right if arm in ("selected", "neutral-drift") else 0)
            truth = sum(int(part) for part in query[:-1].split("+"))
            verdict = bool(rng.random() > error)
            answer = str(truth if verdict else truth + int(rng.integers(1, 12)))
            seats = tuple(others[(slot + problem + k) % len(others)] for k in range(graders))
            looks_right = verdict if rng.random() > 0.2 else not verdict
            grades = tuple(_grade(grader, looks_right, rng) for grader in seats)
            outcomes.append(
                Outcome(
                    match=Match(agent.id, problem, seats),
                    query=query,
                    answer=answer,
                    finished=True,
                    tokens=len(answer) + 1,
                    log_probability=float(-rng.exponential()),
                    grades=grades,
                    verdict=verdict,
                )
            )
    scores = tuple(_score(arm, o, rng) for o in outcomes)
    accepted = tuple(
        i for i, s in enumerate(scores) if arm != "unselected" and s is not None and s >= THRESHOLD
    )
    fitness = tuple(
        float(np.mean([s or 0.0 for s in scores[i * problems : (i + 1) * problems]]))
        for i in range(size)
    )
    weights = np.exp(np.array(fitness) / (0.1 if arm in ("selected", "random-selector") else 1e9))
    rates = weights / weights.mean()
    if arm == "unselected":
        survivors, births = agents, tuple[Birth, ...]()
    else:
        survivors, births = _offspring(agents, outcomes, accepted, rates, index, next_id, rng)
    return Generation(
        index=index,
        agents=agents,
        outcomes=columns(outcomes),
        scores=np.array(scores, dtype=np.float64),
        accepted=np.array(accepted, dtype=np.int64),
        fitness=np.array(fitness),
        rates=rates,
        births=births,
        deaths=tuple(a.id for a in agents) if births else (),
        survivors=survivors,
        digest=population_digest(survivors, index),
    )


def _is_right(example: Example) -> bool:
    return sum(int(part) for part in example.query[:-1].split("+")) == int(example.answer)


def _grade(grader: AgentId, looks_right: bool, rng: np.random.Generator) -> Grade:
    if rng.random() < 0.03:
        return Grade(grader, None, None)
    strength = np.array([1, 1, 2, 4, 9]) if looks_right else np.array([8, 4, 2, 2, 2])
    levels = rng.dirichlet(strength)
    mass = float(rng.beta(20, 1)) if rng.random() < 0.9 else None
    distribution = tuple(float(p) for p in levels)
    return Grade(grader, distribution, float(levels @ np.linspace(0, 1, 5)), mass)


def _score(arm: str, outcome: Outcome, rng: np.random.Generator) -> float | None:
    if arm == "random-selector":
        return float(rng.integers(2))
    values = [g.value for g in outcome.grades if g.value is not None]
    return float(np.mean(values)) if values else None


def _offspring(
    agents: tuple[Agent, ...],
    outcomes: list[Outcome],
    accepted: tuple[int, ...],
    rates: np.ndarray,
    index: int,
    next_id: int,
    rng: np.random.Generator,
) -> tuple[tuple[Agent, ...], tuple[Birth, ...]]:
    problems = len(outcomes) // len(agents)
    parents = np.sort(rng.choice(len(agents), size=len(agents), p=rates / rates.sum()))
    survivors: list[Agent] = []
    births: list[Birth] = []
    for child, slot in enumerate(parents):
        parent = agents[slot]
        lessons = tuple(
            Example(outcomes[i].query, outcomes[i].answer)
            for i in accepted
            if i // problems == slot
        )
        genome = parent.genome.remember(lessons, CAPACITY)
        mutations: tuple[str, ...] = ()
        if rng.random() < 0.2:
            genome = replace(
                genome, sampling_temperature=genome.sampling_temperature * float(rng.uniform(1, 2))
            )
            mutations = ("jitter",)
        identity = AgentId(next_id + child)
        survivors.append(Agent(identity, genome, parent.id, parent.founder, index))
        births.append(Birth(identity, parent.id, mutations))
    return tuple(survivors), tuple(births)


def _share(values: list[bool]) -> float:
    return float(np.mean(values)) if values else math.nan


def _measures(generation: Generation) -> Measures:
    """Plausible, and exact where it is simple; what it costs to compute is made up."""
    outcomes = generation.outcomes
    size = len(generation.agents)
    accepted = set(generation.accepted.tolist())
    error = _share([not o.verdict for o in outcomes])
    half = 1.96 * math.sqrt(error * (1 - error) / len(outcomes))
    tpr = _share([i in accepted for i, o in enumerate(outcomes) if o.verdict])
    fpr = _share([i in accepted for i, o in enumerate(outcomes) if not o.verdict])
    founders = [a.founder for a in generation.survivors]
    shares = np.array([founders.count(f) / size for f in set(founders)])
    fitness = generation.fitness
    first = generation.index == 0
    return Measures(
        generation=generation.index,
        agents=size,
        answers=len(outcomes),
        grades=sum(len(o.grades) for o in outcomes),
        tokens=sum(o.tokens for o in outcomes),
        births=len(generation.births),
        deaths=len(generation.deaths),
        fitness_mean=float(np.mean(fitness)),
        fitness_max=float(np.max(fitness)),
        gold_error=error,
        gold_error_low=max(error - half, 0.0),
        gold_error_high=min(error + half, 1.0),
        majority_error=error * 0.7,
        best_of_n_error=error * 0.6,
        acceptance_rate=len(accepted) / len(outcomes),
        accepted_error=_share([not o.verdict for i, o in enumerate(outcomes) if i in accepted]),
        tpr=tpr,
        fpr=fpr,
        youden_j=tpr - fpr,
        likelihood_ratio=tpr / fpr if fpr else math.inf if tpr else math.nan,
        grader_tpr=0.83,
        grader_fpr=0.31,
        grader_j=0.52,
        grader_auc=0.81,
        grader_brier=0.17,
        grader_ece=0.06,
        grader_correlation=0.42,
        effective_graders=1.41,
        disagreement=0.21,
        grade_bias=0.05,
        position_bias=math.nan,
        turn_error=math.nan,
        option_mass=0.97,
        option_mass_least=0.58,
        unreadable_grades=sum(g.value is None for o in outcomes for g in o.grades),
        truncated_answers=0,
        unknown_verdicts=0,
        context_mean=float(np.mean([len(a.genome.context) for a in generation.agents])),
        task_size=0,
        lineages=len(shares),
        lineage_diversity=float(np.exp(-np.sum(shares * np.log(shares)))),
        genotypes=len({a.genome.digest() for a in generation.survivors}),
        effective_size=float(size * 0.6) if generation.births else math.inf,
        collision=0.2 + 0.1 * generation.index,
        agreed_share=0.3,
        agreed_error=0.1,
        identity_by_descent=shared_founders(generation.agents),
        identity_expected=1 - 0.7**generation.index,
        price_selection=math.nan if first else -0.03 / generation.index,
        price_transmission=math.nan if first else -0.08 / generation.index,
        fitness_price_selection=math.nan if first else 0.02 / generation.index,
        fitness_price_transmission=math.nan if first else 0.05 / generation.index,
    )
