"""Events in O(M) each: the plain versions that the fast ones are held against."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np

from mgptn.population.breeding.moran import Events


def sample_events_plainly(rates, events, rng):
    """`sample_events`: the parent by rate, the death evenly among all."""
    weights, quantiles, deaths = _draws(rates, events, rng)
    parents = np.empty(events, dtype=np.int64)
    for event in range(events):
        parents[event] = _pick(weights, quantiles[event])
        weights[deaths[event]] = weights[parents[event]]
    return Events(parents, deaths)


def sample_death_birth_plainly(rates, events, rng):
    """`sample_death_birth`: the death evenly, the parent by rate among the others."""
    weights, quantiles, deaths = _draws(rates, events, rng)
    parents = np.empty(events, dtype=np.int64)
    for event, (quantile, death) in enumerate(zip(quantiles, deaths, strict=True)):
        weights[death] = 0.0
        if weights.any():
            parents[event] = _pick(weights, quantile)
        else:
            others = np.delete(np.arange(weights.size), death)
            parents[event] = others[int(quantile * others.size)]
        weights[death] = weights[parents[event]]
    return Events(parents, deaths)


def _draws(rates, events, rng):
    weights = np.array(rates, dtype=np.float64)
    quantiles = rng.random(events)
    return weights / weights.max(), quantiles, rng.integers(weights.size, size=events)


def _pick(weights, quantile):
    cumulative = np.cumsum(weights)
    slot = np.searchsorted(cumulative, quantile * cumulative[-1], side="right")
    return int(min(slot, np.flatnonzero(weights)[-1]))
