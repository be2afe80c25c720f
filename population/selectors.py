"""Where fitness comes from: what each selector makes of a generation's outcomes.

A selector maps A outcomes to scores, float64 [A] in [0, 1], NaN where it has nothing to say.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from population.outcomes import Floats, Outcomes

Selector = Callable[[Outcomes, np.random.Generator], Floats]


def peers(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """The mean of an answer's readable grades."""
    return mean_grades(outcomes)


def random(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """A coin toss: uniform in [0, 1), whatever was answered."""
    return rng.random(len(outcomes))


def shuffled(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """The peers' scores, dealt out anew among the answers."""
    return mean_grades(outcomes)[rng.permutation(len(outcomes))]


def oracle(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """The verifier's verdict."""
    return outcomes.verdicts.astype(np.float64)


def none(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """Nothing: no answer is accepted and no agent is fitter."""
    return np.full(len(outcomes), np.nan)


SELECTORS: dict[str, Selector] = {
    "peers": peers,
    "random": random,
    "shuffled": shuffled,
    "oracle": oracle,
    "none": none,
}


def mean_grades(outcomes: Outcomes) -> Floats:
    """Mean of each answer's readable grades, float64 [A]; NaN where there is none."""
    values = np.append(outcomes.values, np.nan)
    seats = outcomes.grades.T
    return known_means((values[seat] for seat in seats), len(outcomes))


def known_means(columns: Any, rows: int) -> Floats:
    """Mean of what is known of each row, float64 [rows]; NaN where nothing is.

    Summed column by column from the first, so that rounding does not depend on how NumPy cuts
    sums up.

    Parameters
    ----------
    columns
        Of a table, float64 [rows] each, NaN where unknown.
    """
    total, count = np.zeros(rows), np.zeros(rows, dtype=np.int64)
    for column in columns:
        known = ~np.isnan(column)
        total += column if known.all() else np.where(known, column, 0.0)
        count += known
    means: NDArray[np.float64] = np.full(rows, np.nan)
    return np.divide(total, count, out=means, where=count > 0)
