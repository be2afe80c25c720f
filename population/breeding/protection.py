"""Births kept for the rare: an answer's givers share births among them, however few they are.

Without, what most say has most children where agreement is fitness. No verdict is seen.

Dimensions: M agents, Q problems, A = M·Q answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.population.records.arrays import Floats
from mgptn.population.records.outcomes import Outcomes


def rarity_rates(outcomes: Outcomes, deme_size: int) -> Floats:
    """Replication rates by rarity alone, float64 [M], mean one in every deme.

    Of each problem, every distinct answer that was given in a deme has the same share of the
    births there, and those that gave it have equal parts of that; the rates are means over
    problems. Answers are distinct by what counts of them. One that is unfinished has no share;
    where none in a deme is finished, all have the same.

    Parameters
    ----------
    deme_size
        Agents that compete with each other; M where all do.

    Raises
    ------
    ValueError
        If demes of this size do not make up the population.
    """
    agents, problems = len(outcomes.matches.authors), outcomes.matches.problems
    if deme_size < 1 or agents % deme_size:
        raise ValueError(f"deme_size: expected a divisor of {agents} agents, got {deme_size}")
    demes = outcomes.matches.slots // deme_size
    # A group is a problem in a deme; a kind is an answer in a group.
    groups = demes * problems + outcomes.matches.asked
    kinds = groups * len(outcomes.texts) + outcomes.counted.astype(np.int64)
    finished = outcomes.finished
    _, first, kind, givers = np.unique(
        kinds[finished], return_index=True, return_inverse=True, return_counts=True
    )
    count = agents // deme_size * problems
    distinct = np.bincount(groups[finished][first], minlength=count)
    rates = np.where(distinct[groups] > 0, 0.0, 1.0)
    rates[finished] = deme_size / (distinct[groups[finished]] * givers[kind])
    return np.asarray(rates.reshape(agents, problems).mean(axis=1), dtype=np.float64)
