"""Several evaluators as one: the mean of their grades, and two that distrust where they differ.

Dimensions: J evaluators, P answers of a pool to each of Q problems, S seeds, N strengths.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from mgptn.experiments.claims.gaming.best_of_pool import (
    GOLD,
    Curve,
    best_of_pool,
    flatterers,
    lost,
    overoptimised,
    strengths_of,
)
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.population.measures.capability import best_of_n_kl
from mgptn.population.measures.rates import error_correlation
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

WAYS: dict[str, Callable[[Floats], Floats]] = {
    "mean": lambda grades: grades.mean(axis=0),
    "minimum": lambda grades: grades.min(axis=0),
    "mean less variance": lambda grades: grades.mean(axis=0) - grades.var(axis=0),
}
"""How grades, [J, P, Q], are made one, [P, Q]: the worst case is the minimum, and what is uncertain
is weighed down by its variance.

Source: Coste et al. 2023, "Reward model ensembles help mitigate overoptimization".
"""

Judged = Callable[[Generation], Floats]
"""Grades by every evaluator, float64 [J, M, Q]."""


class Ensembles(NamedTuple):
    """Best of n by every way and number of evaluators, by each alone, and how alike they err.

    Attributes
    ----------
    curves
        ``"minimum of 3"``; several alike are averaged.
    alone
        float64 [S, Q, J], gold of the best by each evaluator at the strongest selection.
    correlations
        float64 [S], mean over pairs of evaluators of that of grades of wrong answers.
    """

    curves: dict[str, Curve]
    alone: Floats
    correlations: Floats


def ensembles(
    results: Results, arm: str, judged: Judged, sizes: Sequence[int], *, apart: int, turned: bool
) -> Ensembles:
    """Best of n among the answers of all slots but the first few.

    Parameters
    ----------
    sizes
        Numbers of evaluators: the first ones, or with `turned` the mean over every neighbouring so
        many, since they are not alike.
    """
    found: dict[str, list[Floats]] = {}
    alone, correlations = [], []
    strengths: list[int] = []
    for cell in results.of(arm=arm):
        generation = next(results.generations(cell))
        grades = judged(generation)[:, apart:]
        right = generation.outcomes.verdicts.reshape(len(generation.agents), -1)[apart:]
        gamed = np.broadcast_to(flatterers(generation)[apart:, None], right.shape)
        values = np.stack([right, gamed], -1).astype(np.float64)
        strengths = strengths_of(len(right))
        flat = np.clip(grades.reshape(len(grades), -1), 0.0, 1.0)
        correlations.append(error_correlation(flat, right.ravel()))
        singles = [best_of_pool(one, values, strengths) for one in grades]
        alone.append(np.stack([one[:, -1, GOLD] for one in singles], -1))
        for size in sizes:
            starts = range(len(grades) if turned and size < len(grades) else 1)
            for way, of in WAYS.items():
                if size == 1 and way != "mean":
                    continue
                of_starts = [
                    best_of_pool(of(np.roll(grades, -start, axis=0)[:size]), values, strengths)
                    for start in starts
                ]
                found.setdefault(_called(way, size), []).append(np.mean(of_starts, axis=0))
    distances = np.sqrt([best_of_n_kl(n) for n in strengths])
    curves = {name: Curve(distances, np.stack(of)) for name, of in found.items()}
    return Ensembles(curves, np.stack(alone), np.array(correlations))


def best_alone(alone: Floats) -> Floats:
    """Of the evaluator that did best on a seed's other half of the problems, [S, Q]."""
    found = np.empty(alone.shape[:2])
    for half in (0, 1):
        best = alone[:, 1 - half :: 2].mean(axis=1).argmax(axis=-1)
        mine = alone[:, half::2]
        found[:, half::2] = np.take_along_axis(mine, best[:, None, None], axis=-1)[..., 0]
    return found


def ensemble_numbers(kind: str, found: Ensembles) -> list[Number]:
    """Gold at the end, what was lost of it, and Gao's coefficients, of each curve; and ρ."""
    alike = estimate(f"{kind}: ρ of evaluators", found.correlations[:, None], span=DIFFERENCE)
    rows = [alike]
    for name, curve in found.curves.items():
        told = f"{kind}, {name}"
        rows += [
            share(f"{told}: gold of the best", curve.means, lambda m: m[:, -1, GOLD]),
            estimate(f"{told}: gold lost since its peak", curve.means, lost, DIFFERENCE),
            *(
                estimate(
                    f"{told}: {letter}",
                    curve.means,
                    partial(_coefficient, place, curve.distances),
                )
                for place, letter in enumerate(("α", "β"))
            ),
        ]
    return rows


def _coefficient(place: int, distances: Floats, means: Floats) -> Floats:
    """Gao's α or β of gold curves, [D]."""
    return overoptimised(distances, means[..., GOLD])[place]


def _called(way: str, size: int) -> str:
    return "one alone" if size == 1 else f"{way} of {size}"
