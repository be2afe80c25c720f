"""Who disagrees with its own kin and turns out to be confirmed by strangers. No verdict is seen.

Agents of one lineage tend to say the same, right or wrong; what a relative says confirms little.

Dimensions: M agents, Q problems, A = M·Q answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.population.judging.agreeing import by_problem
from mgptn.population.records.arrays import Floats
from mgptn.population.records.outcomes import Outcomes


def confirmed_dissent(outcomes: Outcomes, lineages: Sequence[int]) -> Floats:
    """Share of each agent's answers that are a confirmed dissent, float64 [M].

    Such an answer is another than some relative of its author gave to the problem, and the same
    as some agent of another lineage gave. An unfinished answer neither is one nor confirms one.

    Parameters
    ----------
    lineages
        Of each agent, in slot order: agents of one number are relatives.

    Raises
    ------
    ValueError
        If there are not as many lineages as agents.
    """
    agents = len(outcomes.matches.authors)
    if len(lineages) != agents:
        raise ValueError(f"lineages: expected {agents}, one an agent, got {len(lineages)}")
    _, lines = np.unique(np.asarray(lineages), return_inverse=True)
    own = np.repeat(lines.astype(np.int64), outcomes.matches.problems)
    problems, finished = outcomes.matches.asked.astype(np.int64), outcomes.finished
    said = problems * len(outcomes.texts) + outcomes.counted.astype(np.int64)
    everywhere = _alike(said[finished])
    among_kin = _alike(said[finished] * (lines.max() + 1) + own[finished])
    kin = _alike(problems[finished] * (lines.max() + 1) + own[finished])
    confirmed = np.zeros(len(outcomes), dtype=np.bool_)
    confirmed[finished] = (everywhere > among_kin) & (kin > among_kin)
    shares: Floats = by_problem(outcomes, confirmed).mean(axis=0)
    return shares


def _alike(
    keys: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many have the same key as each, itself among them."""
    _, kinds, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[kinds], dtype=np.int64)
