"""How far populations get with a task that grows, and how independent they are as juries.

Dimensions: S founder sets (seeds), Q problems, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mgptn.experiments.claims.method.journals import Results, wrong_answers
from mgptn.experiments.claims.method.numbers import ANY, SHARE, Number, Span, estimate, share
from mgptn.experiments.claims.method.statistics import first_less_second
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.config.sections.task import REACHED
from mgptn.population.measures.answer_errors import best_of_k, powers_to, vote_of_k
from mgptn.population.records.agents import Agent
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

Errors = Callable[[Generation], Floats]
"""Of each problem, float64 [Q]: how much of what counts as the answer is wrong."""


def reaches(
    results: Results, errors: Errors, least: float, side: str = SELECTED, **labels: str
) -> Floats:
    """The largest size of the task that each founder set reaches, float64 [S].

    Reached is a size at which errors are at most `REACHED` when it was asked last; `least` where
    none is.

    Parameters
    ----------
    side
        Of each cell: the run itself, or one of its controls.
    labels
        Of the cells.
    """
    return np.array(
        [_reach(results.generations(cell, side), errors, least) for cell in results.of(**labels)]
    )


def sizes_of(config: RunConfig) -> Span:
    """The least that a run can reach, and the most: a step more in each of its generations."""
    growth = config.task.growth
    assert growth is not None
    last = growth.start + growth.step * (config.population.generations - 1)
    return float(growth.start - 1), float(min(last, growth.largest or last))


def _reach(generations: Iterable[Generation], errors: Errors, least: float) -> float:
    last = {g.size: float(errors(g).mean()) for g in generations}
    return float(max((size for size, error in last.items() if error <= REACHED), default=least))


def mean_errors(generation: Generation) -> Floats:
    """Share of the members that err, float64 [Q]."""
    return np.asarray(wrong_answers(generation).mean(axis=1))


def none_right(generation: Generation) -> Floats:
    """1 where no member is right, float64 [Q]."""
    return np.asarray(wrong_answers(generation).min(axis=1))


def reach_by_answers(results: Results, least: float, **labels: str) -> list[Number]:
    """What k of founders' answers reach, by vote and picked by the verifier, k to all there are.

    Parameters
    ----------
    labels
        Of cells in which founders answer and nobody learns.
    """
    config = results.of(**labels)[0].config
    numbers = []
    for k in powers_to(config.population.size):

        def voted(generation: Generation, k: int = k) -> Floats:
            said = generation.by_problem(generation.outcomes.counted)
            return vote_of_k(said, wrong_answers(generation), (k,))[:, 0]

        def picked(generation: Generation, k: int = k) -> Floats:
            wrong = wrong_answers(generation)
            return best_of_k(1.0 - wrong, wrong, (k,))[:, 0]

        for told, errors in (("vote", voted), ("best by the verifier", picked)):
            reached = reaches(results, errors, least, **labels)
            numbers.append(over_sets(f"founders: {told} of {k}", reached, sizes_of(config)))
    return numbers


def per_set(results: Results, of: Callable[[Generation], float], **labels: str) -> Floats:
    """The mean over each founder set's generations of where something is defined, float64 [S]."""
    rows = [[of(g) for g in results.generations(cell)] for cell in results.of(**labels)]
    known = [[value for value in row if not math.isnan(value)] for row in rows]
    return np.array([np.mean(row) if row else np.nan for row in known])


def one_checkpoint(agents: Sequence[Agent]) -> float:
    """Share of pairs of agents whose weights began as the same checkpoint."""
    same = [a.genome.model == b.genome.model for a, b in itertools.combinations(agents, 2)]
    return sum(same) / len(same)


def over_sets(name: str, values: Floats, span: Span = SHARE) -> Number:
    """The mean of founder sets, float64 [S], with its interval; a share if nothing else is said."""
    of = values[:, None]
    return share(name, of) if span == SHARE else estimate(name, of, span=span)


def paired(name: str, own: Floats, other: Floats, span: Span = ANY) -> Number:
    """The mean difference of what belongs to the same founder sets."""
    return estimate(name, np.stack([own, other], -1)[:, None], first_less_second, span)
