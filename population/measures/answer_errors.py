"""Errors of a generation's answers: each agent's, each problem's, and those of collective answers.

Dimensions: M agents, Q problems, A = M·Q answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation


def agent_errors(generation: Generation) -> Floats:
    """Share of each agent's answers that are wrong, float64 [M]."""
    wrong = ~generation.by_problem(generation.outcomes.verdicts)
    shares: Floats = wrong.mean(axis=0)
    return shares


def problem_errors(generation: Generation) -> Floats:
    """Share of wrong answers to each problem, float64 [Q]."""
    wrong = ~generation.by_problem(generation.outcomes.verdicts)
    means: Floats = wrong.mean(axis=1)
    return means


def majority_errors(generation: Generation, first: int | None = None) -> Floats:
    """Error of the commonest answer to each problem, float64 [Q]; tied ones count by share.

    Parameters
    ----------
    first
        How many agents vote, in slot order; all of them without.
    """
    outcomes = generation.outcomes
    errors = []
    for answers, wrong in zip(
        generation.by_problem(outcomes.counted)[:, :first],
        ~generation.by_problem(outcomes.verdicts)[:, :first],
        strict=True,
    ):
        _, kinds, votes = np.unique(answers, return_inverse=True, return_counts=True)
        winners = (votes == votes.max())[kinds]
        errors.append(wrong[winners].mean())
    return np.array(errors, dtype=np.float64)


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
    wrong = picked & ~generation.by_problem(generation.outcomes.verdicts)[:, :first]
    shares: Floats = wrong.sum(axis=1) / picked.sum(axis=1)
    return shares


def errors_by_temperature(generation: Generation, temperatures: Sequence[float]) -> Floats:
    """Share of wrong answers at each sampling temperature, float64 [Q, T].

    Raises
    ------
    ValueError
        If there is no agent of one of them.
    """
    at = np.array([agent.genome.sampling_temperature for agent in generation.agents])
    wrong = ~generation.by_problem(generation.outcomes.verdicts)
    columns = []
    for one in temperatures:
        if not np.any(at == one):
            raise ValueError(f"temperatures: expected some of {set(at.tolist())}, got {one}")
        columns.append(wrong[:, at == one].mean(axis=1))
    return np.stack(columns, axis=-1)


def least_column(others: Sequence[Floats]) -> int:
    """The column with the least mean in tables of other problems, [Q, T] each; 0 of none."""
    return int(np.argmin(np.concatenate(others).mean(axis=0))) if others else 0
