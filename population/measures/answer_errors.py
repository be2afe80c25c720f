"""Errors of a generation's answers: each agent's, each problem's, and those of collective answers.

Answers without a verdict are left out; an error is NaN where there are no others. Dimensions: M
agents, Q problems, A = M·Q answers, K numbers of answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.population.measures.capability import best_of_n_weights
from mgptn.population.records.arrays import Floats, Integers, Truths
from mgptn.population.records.generation import Generation


def agent_errors(generation: Generation) -> Floats:
    """Share of each agent's answers that are wrong, float64 [M]."""
    return _shares(*_wrong_and_known(generation), axis=0)


def problem_errors(generation: Generation) -> Floats:
    """Share of wrong answers to each problem, float64 [Q]."""
    return _shares(*_wrong_and_known(generation), axis=1)


def majority_errors(generation: Generation, first: int | None = None) -> Floats:
    """Error of the commonest answer to each problem, float64 [Q]; tied ones count by share.

    Parameters
    ----------
    first
        How many agents vote, in slot order; all of them without.
    """
    outcomes = generation.outcomes
    votes = generation.by_problem(outcomes.counted)[:, :first]
    winners = np.zeros(votes.shape, dtype=np.bool_)
    for problem, answers in enumerate(votes):
        _, kinds, counts = np.unique(answers, return_inverse=True, return_counts=True)
        winners[problem] = (counts == counts.max())[kinds]
    wrong, known = (of[:, :first] for of in _wrong_and_known(generation))
    return _shares(winners & wrong, winners & known, axis=1)


def best_of_n_errors(generation: Generation, first: int | None = None) -> Floats:
    """Error of each problem's answer with the highest mean grade, float64 [Q]; ties by share.

    A problem none of whose answers has a readable grade counts with its answers' mean error.

    Parameters
    ----------
    first
        How many agents' answers are considered, in slot order; all of them without.
    """
    return _errors_of_highest(generation.outcomes.mean_grades(), generation, first)


def collective_errors(generation: Generation) -> Floats:
    """Error of each problem's answer with the highest score, float64 [Q]; ties by share.

    What the population says as one, by its selector's word: under another selector than peers it
    is not `best_of_n_errors`. Answers without a score are taken where there is nothing else.
    """
    return _errors_of_highest(generation.scores, generation, None)


def _errors_of_highest(values: Floats, generation: Generation, first: int | None) -> Floats:
    """Error of each problem's answer of the highest value, float64 [Q]; ties by share."""
    found = generation.by_problem(values)[:, :first]
    # Below every value, so that the unknown are picked where there is nothing else.
    known = np.where(np.isnan(found), -1.0, found)
    picked = known == known.max(axis=1, keepdims=True)
    wrong, judged = (of[:, :first] for of in _wrong_and_known(generation))
    return _shares(picked & wrong, picked & judged, axis=1)


def _wrong_and_known(generation: Generation) -> tuple[Truths, Truths]:
    """Which answers are wrong, and which have a verdict, bool [Q, M] each."""
    outcomes = generation.outcomes
    return generation.by_problem(outcomes.wrong), generation.by_problem(outcomes.known)


def _shares(of: Truths, among: Truths, axis: int) -> Floats:
    """How many along an axis, of how many; NaN of none."""
    count, number = of.sum(axis=axis), among.sum(axis=axis)
    shares: Floats = np.full(number.shape, np.nan)
    np.divide(count, number, out=shares, where=number > 0)
    return shares


def errors_by_temperature(generation: Generation, temperatures: Sequence[float]) -> Floats:
    """Share of wrong answers at each sampling temperature, float64 [Q, T].

    Raises
    ------
    ValueError
        If there is no agent of one of them.
    """
    at = np.array([agent.genome.sampling_temperature for agent in generation.agents])
    wrong, known = _wrong_and_known(generation)
    columns = []
    for one in temperatures:
        if not np.any(at == one):
            raise ValueError(f"temperatures: expected some of {set(at.tolist())}, got {one}")
        columns.append(_shares(wrong[:, at == one], known[:, at == one], axis=1))
    return np.stack(columns, axis=-1)


def least_column(others: Sequence[Floats]) -> int:
    """The column with the least mean in tables of other problems, [Q, T] each; 0 of none."""
    return int(np.argmin(np.nanmean(np.concatenate(others), axis=0))) if others else 0


def powers_to(most: int) -> tuple[int, ...]:
    """Powers of two below a number, and that number: how many answers a choice is made of."""
    return (*(2**i for i in range(most.bit_length()) if 2**i < most), most)


def best_of_k(values: Floats, wrong: Floats, draws: Sequence[int]) -> Floats:
    """Error of the best by some value of k answers that are drawn, ties even, float64 [Q, K].

    Parameters
    ----------
    values
        float64 [Q, M]; what has none is below all others.
    wrong
        float64 [Q, M], NaN where that is not known: left out.
    """
    ranked = np.where(np.isnan(values), -np.inf, values)
    known = ~np.isnan(wrong)
    found = np.full((len(wrong), len(draws)), np.nan)
    for problem, (row, judged, errs) in enumerate(zip(ranked, known, wrong, strict=True)):
        for place, k in enumerate(draws):
            weights = best_of_n_weights(row, k)[judged]
            if weights.sum() > 0.0:
                found[problem, place] = weights @ errs[judged] / weights.sum()
    return found


def vote_of_k(answers: Integers, wrong: Floats, draws: Sequence[int]) -> Floats:
    """Error of the commonest of k answers, the mean over neighbours by k, float64 [Q, K].

    Parameters
    ----------
    answers
        int64 [Q, M], equal where they say the same.
    wrong
        float64 [Q, M], NaN where that is not known. Tied answers count by share.
    """
    found = np.full((len(wrong), len(draws)), np.nan)
    for problem, (said, errs) in enumerate(zip(answers, wrong, strict=True)):
        for place, k in enumerate(draws):
            blocks = range(0, len(said) - k + 1, k)
            votes = [_vote(said[i : i + k], errs[i : i + k]) for i in blocks]
            known = [error for error in votes if not np.isnan(error)]
            found[problem, place] = np.mean(known) if known else np.nan
    return found


def _vote(said: Integers, wrong: Floats) -> float:
    _, kinds, counts = np.unique(said, return_inverse=True, return_counts=True)
    chosen = wrong[(counts == counts.max())[kinds]]
    chosen = chosen[~np.isnan(chosen)]
    return float(chosen.mean()) if chosen.size else np.nan
