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
from mgptn.population.measures.answer_errors import collective_errors
from mgptn.population.measures.capability import best_of_n_weights
from mgptn.population.records.arrays import Floats, Integers
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


def as_many(results: Results, last: int, **labels: str) -> AsMany:
    """The best and the vote of k among answers of cells that select nothing.

    Parameters
    ----------
    last
        Generations, from the end, whose problems these are.
    """
    cells = results.of(**labels)
    draws = _powers(cells[0].config.population.size)

    def of(generation: Generation) -> Floats:
        wrong = wrong_answers(generation)
        grades = by_problem(generation.outcomes.mean_grades(), generation)
        answers = generation.by_problem(generation.outcomes.counted)
        return np.stack([best_of(grades, wrong, draws), vote_of(answers, wrong, draws)], -1)

    found = results.stacked(of, **labels)[:, -last:]
    found = found.reshape(len(found), -1, len(draws), 2)
    return AsMany(draws, found[..., 0], found[..., 1])


def best_of(grades: Floats, wrong: Floats, draws: tuple[int, ...]) -> Floats:
    """Error of the best by grade of k that are drawn, ties even, float64 [P, K].

    Parameters
    ----------
    grades, wrong
        float64 [P, N]; a grade that could not be read is below all others.
    """
    known = np.where(np.isnan(grades), -1.0, grades)
    return np.array(
        [
            [best_of_n_weights(row, k) @ errs for k in draws]
            for row, errs in zip(known, wrong, strict=True)
        ]
    )


def vote_of(answers: Integers, wrong: Floats, draws: tuple[int, ...]) -> Floats:
    """Error of the commonest of k answers, the mean over neighbours by k, float64 [P, K].

    Parameters
    ----------
    answers
        int64 [P, N], equal where they say the same.
    wrong
        float64 [P, N]. Tied answers count by share.
    """
    found = np.empty((len(wrong), len(draws)))
    for problem, (said, errs) in enumerate(zip(answers, wrong, strict=True)):
        for place, k in enumerate(draws):
            groups = len(said) // k
            votes = [
                _vote(said[i * k : (i + 1) * k], errs[i * k : (i + 1) * k]) for i in range(groups)
            ]
            found[problem, place] = np.mean(votes)
    return found


def as_many_numbers(
    results: Results, last: int, run: dict[str, str], founders: dict[str, str]
) -> list[Number]:
    """A run's collective answers beside the founders' best and vote of k, and what k costs.

    Parameters
    ----------
    run, founders
        Labels of the cells.
    """
    name, many = run["arm"], as_many(results, last, **founders)
    own = results.stacked(collective_errors, **run)[:, -last:]
    own = own.reshape(len(own), -1)
    numbers = [share(f"{name}: error of its best graded answers", own)]
    for told, errors in (("best", many.best), ("vote", many.vote)):
        for place, k in enumerate(many.draws):
            numbers.append(share(f"founders: error, {told} of {k}", errors[..., place]))
        both = np.stack([errors[..., -1], own], -1)
        told = f"{name}: errs less than the founders' {told} of {many.draws[-1]}"
        numbers.append(estimate(told, both, first_less_second, DIFFERENCE))
    return [*numbers, plain("answers to a problem for a run's FLOPs", _for(results, run, founders))]


def curves_of(many: AsMany) -> dict[str, tuple[float, ...]]:
    """For a figure."""
    return {
        "founders' answers: k": tuple(map(float, many.draws)),
        "founders' answers: best of k": tuple(many.best.mean(axis=(0, 1)).tolist()),
        "founders' answers: vote of k": tuple(many.vote.mean(axis=(0, 1)).tolist()),
    }


def _for(results: Results, run: dict[str, str], founders: dict[str, str]) -> float:
    """How many of the founders' answers to one generation's problems cost what a run does."""
    ours, theirs = (results.of(**labels) for labels in (run, founders))
    whole = sum(sum(arm_flops(results.folder, cell)) for cell in ours)
    of_all = sum(np.mean(arm_flops(results.folder, cell)) for cell in theirs)
    return float(whole / of_all * theirs[0].config.population.size)


def _vote(said: Floats, wrong: Floats) -> float:
    _, kinds, counts = np.unique(said, return_inverse=True, return_counts=True)
    return float(wrong[(counts == counts.max())[kinds]].mean())


def _powers(most: int) -> tuple[int, ...]:
    return (*(2**i for i in range(most.bit_length()) if 2**i < most), most)
