"""Who grades whom: mean grades and what they were worth, by grader and author."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import numpy as np

from mgptn.experiments.watching.watched import plain
from mgptn.population.measures.grade_tally import BINS, calibration_bin
from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.generation import Generation

MOST = 32
"""Rows of the matrix: of more agents, those of a lineage are taken together, and of more lineages
the most numerous are shown."""


def grading_matrix(generation: Generation, cut: float) -> dict[str, Any]:
    """Mean grade of each grader for each author, and how often its grades agreed with verdicts.

    Parameters
    ----------
    cut
        From which on a grade accepts.

    Returns
    -------
    dict
        ``"by"`` is ``"agent"`` or ``"founder"``; ``"names"``, n of them, of graders and authors
        alike; ``"means"``, ``"agreement"`` and ``"counts"``, [n][n], grader first, None where
        nothing was graded; ``"left_out"`` agents that are in no row.
    """
    agents, outcomes = generation.agents, generation.outcomes
    by, label = "agent", agents.ids
    if len(agents) > MOST:
        by, label = "founder", agents.founders
    distinct, counts = np.unique(label, return_counts=True)
    shown = np.sort(distinct[np.argsort(-counts, kind="stable")[:MOST]])
    rows = _places(label, shown)
    means, agreement, number = _cells(generation, rows, len(shown), cut)
    return {
        "by": by,
        "names": shown.tolist(),
        "means": _plain(means),
        "agreement": _plain(agreement),
        "counts": number.tolist(),
        "left_out": int(np.sum(rows < 0)),
        "agents": len(agents),
        "graders": int(outcomes.grades.shape[1]),
    }


def reliability(generation: Generation) -> list[dict[str, Any]]:
    """What grades by peers mean: by tenths of them, how many, their mean, and who of them is right.

    Answers without a verdict are left out.
    """
    outcomes = generation.outcomes
    if not len(outcomes.values):
        return []
    counts = outcomes.peer_grade_counts()[:, 1:]
    place = calibration_bin(outcomes.values)
    given, right, sums = (
        np.bincount(place, weights, minlength=BINS)
        for weights in (counts.sum(axis=0), counts[1], counts.sum(axis=0) * outcomes.values)
    )
    return [
        {
            "grades": int(given[i]),
            "mean": plain(float(sums[i] / given[i])),
            "right": plain(float(right[i] / given[i])),
        }
        for i in np.flatnonzero(given).tolist()
    ]


def _cells(
    generation: Generation, rows: Integers, n: int, cut: float
) -> tuple[Floats, Floats, Integers]:
    """Mean grade, agreement and number of readable grades, [n, n], a seat at a time."""
    outcomes = generation.outcomes
    problems = outcomes.matches.problems
    graders, values = outcomes.matches.graders, np.append(outcomes.values, np.nan)
    authors = np.repeat(rows, problems)
    total, agreed, number, judged = (np.zeros(n * n) for _ in range(4))
    known = outcomes.known
    for seat in range(outcomes.grades.shape[1]):
        grader = rows[graders[:, seat]]
        grade = values[outcomes.grades[:, seat]]
        kept = (grader >= 0) & (authors >= 0) & ~np.isnan(grade)
        cell = grader[kept] * n + authors[kept]
        right = outcomes.verdicts[kept] == (grade[kept] >= cut)
        total += np.bincount(cell, grade[kept], minlength=n * n)
        agreed += np.bincount(cell, right & known[kept], minlength=n * n)
        judged += np.bincount(cell, known[kept], minlength=n * n)
        number += np.bincount(cell, minlength=n * n)
    with np.errstate(invalid="ignore"):
        means, agreement = total / number, agreed / judged
    return (
        means.reshape(n, n),
        agreement.reshape(n, n),
        number.astype(np.int64).reshape(n, n),
    )


def _places(label: Integers, shown: Integers) -> Integers:
    """Row of each agent, −1 where its label is not shown."""
    found = np.minimum(np.searchsorted(shown, label), len(shown) - 1)
    return np.where(shown[found] == label, found, -1)


def _plain(values: Floats) -> list[list[float | None]]:
    return [[plain(value) for value in row] for row in values.tolist()]
