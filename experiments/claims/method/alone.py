"""What founders do alone, without context or selection: the cheapest control that there is.

Dimensions: S seeds, P problems of all generations, T sampling temperatures.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import Number, share
from mgptn.experiments.config.arms import GREEDY, LIKELIEST, TEMPERATURES
from mgptn.population.measures.answer_errors import errors_by_temperature
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation


def alone(results: Results, last: int | None = None, **labels: str) -> Floats:
    """Errors of founders' answers at every sampling temperature of the arm, float64 [S, P, T].

    Parameters
    ----------
    last
        Generations, from the end, whose problems these are; all without.
    labels
        Of the cells.
    """
    errors = results.stacked(_by_temperature, GREEDY, **labels)
    errors = errors[:, -last:] if last else errors
    return errors.reshape(len(errors), -1, errors.shape[-1])


def likeliest(errors: Floats) -> Floats:
    """Of these the likeliest answers', float64 [S, P]."""
    return errors[..., TEMPERATURES.index(LIKELIEST)]


def at_best(errors: Floats) -> Floats:
    """At the temperature that erred least on a seed's other half of the problems, float64 [S, P].

    Every second problem is of one half, and the others of the other.
    """
    found = np.empty(errors.shape[:2])
    for half in (0, 1):
        best = errors[:, 1 - half :: 2].mean(axis=1).argmin(axis=-1)
        found[:, half::2] = np.take_along_axis(errors[:, half::2], best[:, None, None], axis=-1)[
            ..., 0
        ]
    return found


def alone_numbers(name: str, results: Results, **labels: str) -> list[Number]:
    """Errors of the likeliest answers, and of those at the best temperature."""
    errors = alone(results, None, **labels)
    return [
        share(f"{name}: error, founders' likeliest answers", likeliest(errors)),
        share(f"{name}: error, founders at their best temperature", at_best(errors)),
    ]


def _by_temperature(generation: Generation) -> Floats:
    return errors_by_temperature(generation, TEMPERATURES)
