"""Outcomes given one by one, as columns; and arrays as tuples."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mgptn.population.records.generation import Generation
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcome, Outcomes


def columns(outcomes: Sequence[Outcome]) -> Outcomes:
    """Columns of a generation's outcomes, author-major; strange graders get any slot."""
    authors = list(dict.fromkeys(outcome.match.author for outcome in outcomes))
    slots = {author: slot for slot, author in enumerate(authors)}
    seats = [
        [slots.get(grader, grader % len(authors)) for grader in outcome.match.graders]
        for outcome in outcomes
    ]
    matches = Matches(
        np.array(authors, dtype=np.int64),
        len(outcomes) // max(len(authors), 1),
        np.array(seats, dtype=np.int64),
    )
    return Outcomes.gather(matches, outcomes)


def with_outcomes(generation: Generation, outcomes: Sequence[Outcome]) -> Generation:
    """A generation with other outcomes of its matches."""
    told = Outcomes.gather(generation.outcomes.matches, outcomes)
    return replace(generation, outcomes=told)


def or_none(values: Any) -> tuple[float | None, ...]:
    """Numbers as a tuple, None where they are NaN."""
    return tuple(None if value != value else value for value in values.tolist())
