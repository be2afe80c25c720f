"""Answers as the examples that enter contexts and lessons."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.population.records.agents import Example
from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.outcomes import Outcomes

TOP_LEVEL = 4
"""The survey's highest level, from 0."""


def examples(
    outcomes: Outcomes,
    chosen: Integers,
    entry: str,
    scores: Floats | None = None,
    text: str = "whole",
) -> list[Example]:
    """Some answers as examples, in order, equal ones as one object.

    Parameters
    ----------
    chosen
        int64 [C], indices of answers.
    entry
        ``"plain"``, ``"graded"`` or ``"stamped"``, as of `TournamentSettings`; or ``"scored"``,
        with the level nearest to its score.
    scores
        float64 [A], of every answer, by which they are scored.
    text
        The ``"whole"`` of an answer, or the ``"answer"`` in it: what counts of it.
    """
    texts = len(outcomes.texts)
    values = outcomes.mean_grades() if scores is None or entry != "scored" else scores
    levels = _levels_shown(values[chosen], entry)
    said = outcomes.answers if text == "whole" else outcomes.counted
    kinds = chosen % outcomes.matches.problems * texts + said[chosen].astype(np.int64)
    kinds = kinds * (TOP_LEVEL + 2) + levels + 1
    distinct, places = np.unique(kinds, return_inverse=True)
    found = []
    for kind in distinct.tolist():
        place, level = divmod(kind, TOP_LEVEL + 2)
        pair = outcomes.queries[place // texts], outcomes.texts[place % texts]
        found.append(Example(*pair, level - 1 if level else None))
    return [found[place] for place in places.tolist()]


def _levels_shown(values: Floats, entry: str) -> Integers:
    """The level that answers of values [C] are shown with, int64 [C], from 0; −1 for none."""
    if entry == "plain":
        return np.full(len(values), -1)
    if entry == "stamped":
        return np.full(len(values), TOP_LEVEL)
    nearest = np.floor(np.nan_to_num(values) * TOP_LEVEL + 0.5).astype(np.int64)
    return np.where(np.isnan(values), -1, nearest)
