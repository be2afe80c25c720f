"""What as many of the founders' answers as a run spends are worth: the best and the vote of k.

Founders without context answer the problems of a run's generations, more of them than it has
members. Dimensions: S seeds, P problems, N founders' answers to each, K numbers of answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgptn.experiments.claims.method.costs import arm_flops
from mgptn.experiments.claims.method.journals import Results, by_problem, wrong_answers
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, plain, share
from mgptn.experiments.claims.method.statistics import first_less_second
from mgptn.experiments.config.arms import AS_MANY, SELECTED
from mgptn.experiments.config.arms import as_many as as_many_founders
from mgptn.population.measures.answer_errors import (
    best_of_k,
    collective_errors,
    powers_to,
    vote_of_k,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation


@dataclass(frozen=True, slots=True)
class AsMany:
    """Errors of the founders' best and vote of k, on problems of a run.

    Attributes
    ----------
    draws
        int64 [K], k: powers of two, and as many answers as there are.
    best, vote
        float64 [S, P, K]; the best is by mean grade.
    """

    draws: tuple[int, ...]
    best: Floats
    vote: Floats


def as_many(results: Results, last: int, side: str = SELECTED, **labels: str) -> AsMany:
    """The best and the vote of k among answers of cells that select nothing.

    Parameters
    ----------
    last
        Generations, from the end, whose problems these are.
    side
        Of each cell: the run itself, or `mgptn.experiments.config.arms.AS_MANY`, which is asked
        the problems of the last generation alone.
    """
    per_seed, draws = [], tuple[int, ...]()
    for cell in results.of(**labels):
        asked = list(results.generations(cell, side))[-last:]
        draws = powers_to(len(asked[-1].agents))
        per_seed.append(np.concatenate([_errors(one, draws) for one in asked]))
    found = np.stack(per_seed)
    return AsMany(draws, found[..., 0], found[..., 1])


def _errors(generation: Generation, draws: tuple[int, ...]) -> Floats:
    """The best and the vote of k, float64 [P, K, 2]."""
    wrong = wrong_answers(generation)
    grades = by_problem(generation.outcomes.mean_grades(), generation)
    answers = generation.by_problem(generation.outcomes.counted)
    return np.stack([best_of_k(grades, wrong, draws), vote_of_k(answers, wrong, draws)], -1)


def as_many_numbers(
    results: Results,
    last: int,
    run: dict[str, str],
    founders: dict[str, str],
    side: str = SELECTED,
) -> list[Number]:
    """A run's collective answers beside the founders' best and vote of k, and what k costs.

    Parameters
    ----------
    run, founders
        Labels of the cells.
    last, side
        As of `as_many`.
    """
    name, many = run["arm"], as_many(results, last, side, **founders)
    return [
        *against_as_many(name, collectively(results, last, **run), many),
        plain(f"{name}: answers for a run's FLOPs", _for(results, last, run, founders, side)),
        *curve_numbers("founders", many),
    ]


def collectively(results: Results, last: int, **labels: str) -> Floats:
    """Errors of a run's answers as one, by its selector, float64 [S, P]."""
    own = results.stacked(collective_errors, **labels)[:, -last:]
    return own.reshape(len(own), -1)


def against_as_many(name: str, own: Floats, many: AsMany) -> list[Number]:
    """Errors of something, float64 [S, P], and how much less they are than of as many answers."""
    numbers = [share(f"{name}: error of its best graded answers", own)]
    for told, errors in (("best", many.best), ("vote", many.vote)):
        both = np.stack([errors[..., -1], own], -1)
        told = f"{name}: errs less than the founders' {told} of {many.draws[-1]}"
        numbers.append(estimate(told, both, first_less_second, DIFFERENCE))
    return numbers


def curve_numbers(name: str, many: AsMany) -> list[Number]:
    """Errors of the founders' best and vote of every k."""
    return [
        share(f"{name}: error, {told} of {k}", errors[..., place])
        for told, errors in (("best", many.best), ("vote", many.vote))
        for place, k in enumerate(many.draws)
    ]


def curves_of(many: AsMany) -> dict[str, tuple[float, ...]]:
    """For a figure."""
    return {
        "founders' answers: k": tuple(map(float, many.draws)),
        "founders' answers: best of k": tuple(many.best.mean(axis=(0, 1)).tolist()),
        "founders' answers: vote of k": tuple(many.vote.mean(axis=(0, 1)).tolist()),
    }


def _for(
    results: Results, last: int, run: dict[str, str], founders: dict[str, str], side: str
) -> float:
    """How many of the founders' answers to one generation's problems cost what a run does."""
    ours, theirs = (results.of(**labels) for labels in (run, founders))
    whole = sum(sum(arm_flops(results.folder, cell)) for cell in ours)
    of_all = sum(np.mean(arm_flops(results.folder, cell, side)[-last:]) for cell in theirs)
    size = as_many_founders(theirs[0].config) if side == AS_MANY else None
    return float(whole / of_all * (size or theirs[0].config.population.size))
