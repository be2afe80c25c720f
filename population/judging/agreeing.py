"""Who gave the same answer to a problem: what a jury agrees on. No verdict is looked at.

Answers are compared by what counts of them to their task, by its index in the outcomes' table of
texts: where an answer is a sentence, two that say the same agree. An unfinished one agrees with
nothing.

Dimensions: M agents, Q problems, A = M·Q answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.arrays import Truths
from mgptn.population.records.outcomes import Outcomes


def largest_agreements(outcomes: Outcomes) -> NDArray[np.int64]:
    """Agents that gave the commonest answer to each problem, int64 [Q]; 0 where none finished."""
    most: NDArray[np.int64] = by_problem(outcomes, sayers(outcomes, outcomes.finished)).max(1)
    return most


def agreed_share(outcomes: Outcomes, least: int | None = None) -> float:
    """Share of problems to which at least so many agents gave the same answer.

    Parameters
    ----------
    least
        In 1 … M; all M without.

    Raises
    ------
    ValueError
        If there are not so many agents.
    """
    return float(np.mean(largest_agreements(outcomes) >= enough(least, outcomes)))


def sayers(outcomes: Outcomes, members: Truths) -> NDArray[np.int64]:
    """How many members gave each member's very answer, itself among them, int64 [A]; others 0."""
    said = outcomes.matches.asked * len(outcomes.texts) + outcomes.counted.astype(np.int64)
    _, kinds, counts = np.unique(said[members], return_inverse=True, return_counts=True)
    found = np.zeros(len(outcomes), dtype=np.int64)
    found[members] = counts[kinds]
    return found


def by_problem(outcomes: Outcomes, values: NDArray[np.generic]) -> NDArray[Any]:
    """Values of answers, [A], as [Q, M]."""
    return values.reshape(-1, outcomes.matches.problems).T


def enough(least: int | None, outcomes: Outcomes) -> int:
    """How many agents have to agree: all, unless a number of them is named.

    Raises
    ------
    ValueError
        If there are not so many agents.
    """
    agents = len(outcomes.matches.authors)
    if least is None:
        return agents
    if not 1 <= least <= agents:
        raise ValueError(f"least: expected 1 to {agents} (agents), got {least}")
    return least
