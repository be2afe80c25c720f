"""Best of n among the answers of a pool, by any proxy: how proxy and gold part company.

Dimensions: S seeds, Q problems, P answers of a pool, N strengths of selection, V values.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import ANY, DIFFERENCE, SHARE, Number, estimate, share
from mgptn.population.judging.roles import FLATTERER
from mgptn.population.measures.capability import best_of_n_kl, best_of_n_weights
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

PROXY, GOLD, GAMED = range(3)
"""Of the best of n: its grade, whether it is right, and whether it is a flatterer's."""

Proxies = Mapping[str, Floats]
"""Who evaluates → the grade of every answer, float64 [M, Q]."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Best of n by one proxy.

    Attributes
    ----------
    distances
        float64 [N], √KL of each n, the first 0.
    means
        float64 [S, Q, N, 3]: proxy, gold and flatterers among the best of n.
    """

    distances: Floats
    means: Floats

    def at_end(self, what: int) -> Floats:
        """At the strongest selection, [S, Q]."""
        return self.means[:, :, -1, what]


def best_of_n_curves(
    results: Results, arm: str, proxies: Callable[[Generation], Proxies], apart: int
) -> dict[str, Curve]:
    """Best of n by each proxy, among the answers of all slots but the first few."""
    found: dict[str, list[Floats]] = {}
    strengths: list[int] = []
    for cell in results.of(arm=arm):
        generation = next(results.generations(cell))
        right = generation.outcomes.verdicts.reshape(len(generation.agents), -1)[apart:]
        gamed = np.broadcast_to(flatterers(generation)[apart:, None], right.shape)
        strengths = strengths_of(len(right))
        values = np.stack([right, gamed], -1).astype(np.float64)
        for name, proxy in proxies(generation).items():
            found.setdefault(name, []).append(best_of_pool(proxy[apart:], values, strengths))
    distances = np.sqrt([best_of_n_kl(n) for n in strengths])
    return {name: Curve(distances, np.stack(of)) for name, of in found.items()}


def best_of_pool(proxy: Floats, values: Floats, strengths: list[int]) -> Floats:
    """Proxy and values of the best of n by proxy, problem by problem, float64 [Q, N, 1 + V].

    Parameters
    ----------
    proxy
        float64 [P, Q].
    values
        float64 [P, Q, V], what else is said of the answers.
    """
    found = np.empty((proxy.shape[1], len(strengths), 1 + values.shape[2]))
    for problem in range(proxy.shape[1]):
        said = np.column_stack([proxy[:, problem], values[:, problem]])
        for place, n in enumerate(strengths):
            found[problem, place] = best_of_n_weights(proxy[:, problem], n) @ said
    return found


def overoptimised(distances: Floats, gold: Floats) -> tuple[Floats, Floats]:
    """α and β of d·(α − β·d), fitted to the change of gold by least squares, [D] each.

    Parameters
    ----------
    distances
        float64 [N], √KL, the first 0.
    gold
        float64 [D, N].

    Source
    ------
    Gao, Schulman & Hilton 2022; `mgptn.population.measures.capability.best_of_n_gold`.
    """
    columns = np.stack([distances, -(distances**2)], -1)
    slope, decay = np.linalg.pinv(columns) @ (gold - gold[:, :1]).T
    return slope, decay


def strengths_of(pool: int) -> list[int]:
    """Powers of two up to the size of a pool, and that itself."""
    powers = [2**i for i in range(pool.bit_length()) if 2**i < pool]
    return [*powers, pool]


def curve_numbers(curves: Mapping[str, Curve]) -> list[Number]:
    """What is said of each curve, with intervals."""
    rows = []
    for name, curve in curves.items():

        def slope(means: Floats, curve: Curve = curve) -> Floats:
            return overoptimised(curve.distances, means[..., GOLD])[0]

        def decay(means: Floats, curve: Curve = curve) -> Floats:
            return overoptimised(curve.distances, means[..., GOLD])[1]

        for told, span, of in (
            ("gold of any", SHARE, lambda m: m[:, 0, GOLD]),
            ("gold of the best", SHARE, lambda m: m[:, -1, GOLD]),
            ("proxy less gold of the best", DIFFERENCE, lambda m: m[:, -1, PROXY] - m[:, -1, GOLD]),
            ("gold lost since its peak", DIFFERENCE, lost),
            ("flatterers among the best", SHARE, lambda m: m[:, -1, GAMED]),
            ("α", ANY, slope),
            ("β", ANY, decay),
        ):
            if span == SHARE:
                rows.append(share(f"{name}: {told}", curve.means, of))
            else:
                rows.append(estimate(f"{name}: {told}", curve.means, of, span))
    return rows


def lost(means: Floats) -> Floats:
    """Gold at its peak less gold at the end."""
    return np.asarray(means[..., GOLD].max(axis=1) - means[:, -1, GOLD])


def drawn_curves(kind: str, curves: Mapping[str, Curve]) -> dict[str, tuple[float, ...]]:
    """Means over seeds and problems, as the figure has them."""
    found = {}
    for name, curve in curves.items():
        means = curve.means.mean(axis=(0, 1))
        found[f"{kind}, √KL"] = tuple(curve.distances.tolist())
        found[f"{kind}, {name}: proxy"] = tuple(means[:, PROXY].tolist())
        found[f"{kind}, {name}: gold"] = tuple(means[:, GOLD].tolist())
    return found


def flatterers(generation: Generation) -> NDArray[np.bool_]:
    """Which agents are flatterers, bool [M]."""
    return np.array([agent.genome.role == FLATTERER for agent in generation.agents])
