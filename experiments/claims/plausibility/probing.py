"""What tells states after forced digits from states after sampled ones: probes, and a distance.

Dimensions: N states, E width, C components.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.arrays import Floats

SHRINKAGE = 0.1
"""Share of a covariance that is replaced by its mean variance in every direction."""

COMPONENTS = 32
"""Directions of most variance whose products a quadratic probe sees."""

LINEAR, QUADRATIC = "linear", "quadratic"


@dataclass(frozen=True, slots=True)
class Marked:
    """States float64 [N, E], the place in its answer of each, and which problem it is of."""

    values: Floats
    places: NDArray[np.int64]
    problems: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> Marked:
        """Some of them."""
        return Marked(self.values[chosen], self.places[chosen], self.problems[chosen])


class Probe:
    """Fisher's linear discriminant, and Mahalanobis' distance, of states less their place's mean.

    Parameters
    ----------
    sampled, forced
        What is told apart. Means by place, and the distance's covariance, are of the former alone.
    kind
        `LINEAR`; or `QUADRATIC`, which sees products of components too: whether what was said is
        what would have been said is no sum of the two.
    """

    def __init__(self, sampled: Marked, forced: Marked, kind: str) -> None:
        count = int(max(sampled.places.max(), forced.places.max())) + 1
        self._means = np.stack(
            [sampled.values[sampled.places == place].mean(axis=0) for place in range(count)]
        )
        centred = self._centred(sampled)
        self._components: Floats | None = None
        if kind == QUADRATIC:
            values, vectors = np.linalg.eigh(np.cov(centred, rowvar=False))
            scale = np.sqrt(np.maximum(values, 1e-12))
            self._components = (vectors / scale)[:, -COMPONENTS:]
        own, other = self._seen(sampled), self._seen(forced)
        mean, spread = own.mean(axis=0), np.maximum(own.std(axis=0), 1e-9)
        self._mean, self._scale = mean, spread
        own, other = (own - mean) / spread, (other - mean) / spread
        self._inverse = np.linalg.inv(_shrunk(np.cov(own, rowvar=False)))
        within = (np.cov(own, rowvar=False) + np.cov(other, rowvar=False)) / 2.0
        gap = other.mean(axis=0) - own.mean(axis=0)
        direction = np.linalg.solve(_shrunk(within), gap)
        self._direction = direction / max(float(gap @ direction), 1e-12)

    def score(self, states: Marked) -> Floats:
        """float64 [N]: 0 is the sampled ones' mean, 1 the forced ones'."""
        return np.asarray(self._scaled(states) @ self._direction)

    def distance(self, states: Marked) -> Floats:
        """float64 [N], squared, from the sampled ones of the same place."""
        away = self._scaled(states)
        return np.asarray(((away @ self._inverse) * away).sum(axis=1))

    def _centred(self, states: Marked) -> Floats:
        return np.asarray(states.values - self._means[states.places])

    def _scaled(self, states: Marked) -> Floats:
        return np.asarray((self._seen(states) - self._mean) / self._scale)

    def _seen(self, states: Marked) -> Floats:
        """What the probe is given of them."""
        centred = self._centred(states)
        if self._components is None:
            return centred
        parts = centred @ self._components
        first, second = np.triu_indices(parts.shape[1])
        return np.hstack([parts, parts[:, first] * parts[:, second]])


def _shrunk(covariance: Floats) -> Floats:
    width = len(covariance)
    level = max(float(np.trace(covariance)) / width, 1e-12)
    return np.asarray((1.0 - SHRINKAGE) * covariance + SHRINKAGE * level * np.eye(width))
